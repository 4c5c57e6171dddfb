import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codes } from "../../../src/base/index.ts";
import { logLine } from "../../../src/sandbox/log-line.ts";
import { claimedFailure, shown } from "../../../src/sandbox/step-failure.ts";

describe("claimedFailure", () => {
  it("takes the class from the table, never from the host", () => {
    const result = claimedFailure({ code: "EGRESS_DENIED", transient: true, message: "no" });

    expect(result).toEqual({ kind: "failed", class: "policy", code: "EGRESS_DENIED", message: "no" });
  });

  it("lets a step call its own failure transient", () => {
    expect(claimedFailure({ code: "STEP_FAILED", transient: true, message: "" })).toMatchObject({ class: "transient" });
    expect(claimedFailure({ code: "STEP_FAILED", transient: false, message: "" })).toMatchObject({
      class: "permanent",
    });
  });

  it("turns every code that is not a host's to claim into STEP_FAILED", () => {
    for (const code of [
      ...Object.keys(codes).filter((name) => /WORKER|RUN_|TRUST|INTERNAL/.test(name)),
      "NO_SUCH",
      "__proto__",
    ])
      expect(claimedFailure({ code, transient: false, message: "" })).toMatchObject({ code: "STEP_FAILED" });
  });
});

describe("text of a host", () => {
  it("becomes text that every store takes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const clean = shown(text);
        expect(clean.isWellFormed()).toBe(true);

        expect(clean).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
      }),
    );
  });

  it("names fields that are no I-JSON object as dropped", () => {
    const line = (fields: string) => logLine({ t: "log", id: "", level: "info", message: "m", fields }).fields;

    expect(line('{"b":1,"a":"x"}')).toBe('{"a":"x","b":1}');
    for (const fields of ["", "[]", "null", '{"a":"\\u0000"}', '{"a":1e999}', "{", '"x"'])
      expect(line(fields)).toBe('{"dropped":"fields are no I-JSON object"}');
  });
});
