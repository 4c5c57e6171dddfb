import fc from "fast-check";
import type { FastifyError } from "fastify";
import { describe, expect, it } from "vitest";
import { problemOf } from "../../../src/api/problem.ts";
import { type CodeName, codes, Fault } from "../../../src/base/index.ts";

/** Fastify says that every error is one of its own. */
const asFailure = (error: Error): FastifyError => error as FastifyError;

import { createRedact } from "../../../src/telemetry/index.ts";

describe("problem documents", () => {
  it("law: every message of the table becomes a problem with its own status and name", () => {
    const names = Object.keys(codes) as CodeName[];
    fc.assert(
      fc.property(fc.constantFrom(...names), (code) => {
        const problem = problemOf(asFailure(new Fault(code, "why")), "/x", createRedact());

        expect(problem).toEqual({
          ...{ type: `urn:orrery:problem:${code}`, title: codes[code].title, status: codes[code].http },
          ...{ code, detail: "why", instance: "/x" },
        });
      }),
    );
  });

  it("an unknown error shows nothing of itself", () => {
    const problem = problemOf(asFailure(new Error("password=hunter2")), "/x", createRedact());

    expect(problem).toMatchObject({ status: 500, code: "INTERNAL" });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  it("a refusal of the framework keeps to our table", () => {
    const error = Object.assign(new Error("no such charset"), { code: "FST_ERR_ANYTHING", statusCode: 406 });

    expect(problemOf(asFailure(error), "/x", createRedact())).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  });

  it("repeats no credential of a request, neither in its words nor in its path", () => {
    const secret = "Bearer abcdefghijklmnop";

    const problem = problemOf(
      asFailure(new Fault("BAD_REQUEST", `no JSON: ${secret}`)),
      `/dags/${secret}`,
      createRedact(),
    );

    expect(problem).toMatchObject({ detail: "no JSON: [redacted]", instance: "/dags/[redacted]" });
  });
});
