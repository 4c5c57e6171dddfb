import { describe, expect, it } from "vitest";
import { decodeDocument } from "../../../src/spec/index.ts";
import { bytesOf } from "../../support/spec-fixtures.ts";

// One mistake each stands in test/vectors/bad-specs; here is what a listing cannot hold.

const dag = (spec: string): string => `apiVersion: orrery/v1\nkind: Dag\nspec:\n${spec}`;
const one = "  steps:\n    a: { uses: core.log@1.0.0 }\n";

const dagPath = "tenants/acme/dags/sample.yaml";

describe("a document that cannot be read", () => {
  it("names a file that is not UTF-8", () => {
    const result = decodeDocument({ path: dagPath, bytes: new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]) });

    expect(result).toMatchObject({ ok: false, findings: [{ code: "SPEC_ENCODING" }] });
  });

  it("does not read more than 256 KiB", () => {
    const result = decodeDocument({ path: dagPath, bytes: new Uint8Array(256 * 1024 + 1).fill(0x20) });

    expect(result).toMatchObject({ ok: false, findings: [{ code: "SPEC_TOO_LARGE" }] });
  });

  it("warns of more than 64 KiB and reads on", () => {
    const text = dag(`${one}# ${"x".repeat(70_000)}\n`);

    const result = decodeDocument({ path: dagPath, bytes: bytesOf(text) });

    expect(result).toMatchObject({ ok: true, warnings: [{ code: "SPEC_TOO_LARGE", severity: "warning" }] });
  });
});

describe("several mistakes", () => {
  it("are all reported, in the order of their places", () => {
    const text = dag(
      "  timeout: 30\n  steps:\n    a: { uses: core.log, if: x }\n    b: { uses: core.log@1.0.0, needs: 3 }\n",
    );

    const result = decodeDocument({ path: dagPath, bytes: bytesOf(text) });

    expect(result.ok ? [] : result.findings.map(({ line }) => line)).toEqual([4, 6, 6, 7]);
  });
});
