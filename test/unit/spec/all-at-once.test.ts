import { describe, expect, it } from "vitest";
import { decodeDocument, formatDocument } from "../../../src/spec/index.ts";
import { bytesOf } from "../../support/spec-fixtures.ts";
import { desiredOf } from "../plan/plan-fixture.ts";

const path = "tenants/acme/dags/sample.yaml";

const decodedPlaces = (text: string): readonly string[] => {
  const decoded = decodeDocument({ path, bytes: bytesOf(text) });
  if (decoded.ok) throw new Error("it decodes");
  return decoded.findings.map(({ code, line, col, message }) => `${String(line)}:${String(col)} ${code} ${message}`);
};

const tenantPlaces = (text: string): readonly string[] => {
  const allowlist =
    'apiVersion: orrery/v1\nkind: Allowlist\nspec: { plugins: [{ name: core.*, versions: ["1.x"] }] }\n';
  const desired = desiredOf({ documents: { [path]: text, "tenants/acme/allowlist.yaml": allowlist } });
  if (desired.kind !== "readable") throw new Error("no tenant");
  return desired.dags.flatMap((dag) =>
    dag.findings.map(({ code, line, col }) => `${String(line)}:${String(col)} ${code}`),
  );
};

describe("all findings of a document at once", () => {
  it("names each key that is missing, with what belongs there", () => {
    const decoded = decodeDocument({ path, bytes: bytesOf("metadata: {}\n") });

    expect(decoded.ok ? [] : decoded.findings.map(({ message, fix }) => [message, fix])).toEqual([
      ["the document has no `apiVersion`", "Add `apiVersion:` orrery/v1."],
      ["the document has no `kind`", "Add `kind:` Dag."],
      ["the document has no `spec`", "Add `spec:`."],
    ]);
  });

  it("judges a document with a repeated key by its schema as well", () => {
    const text = `apiVersion: orrery/v1
kind: Dag
spec:
  steps:
    a: { uses: core.log@1.0.0, wiht: 1 }
    a: { uses: nope, wiht: 1 }
    a-b: { uses: core.log@1.0.0 }
`;

    expect(decodedPlaces(text)).toEqual([
      '6:5 SPEC_DUPLICATE_KEY "a" is there twice',
      '6:16 SPEC_TYPE "nope" is no uses: The plugin, `name@version`',
      "6:22 SPEC_UNKNOWN_KEY unknown key `wiht` in spec.steps.a",
      '7:5 SPEC_TYPE "a-b" holds a hyphen, which is a subtraction in an expression',
    ]);
  });

  it("goes on behind unknown and repeated keys to the graph, expressions and plugins of the rest", () => {
    const text = `apiVersion: orrery/v1
kind: Dag
spec:
  timeout: 5m
  timeout: 6m
  steps:
    a: { uses: core.log@1.0.0, needs: c, retrie: 3 }
    b: { uses: core.log@1.0.0, needs: nope }
    c: { uses: core.log@1.0.0, needs: a, with: { message: "\${{ steps.b.outputs.x }}" } }
    d: { uses: core.lgo@1.0.0 }
`;

    expect(tenantPlaces(text)).toEqual([
      "5:3 SPEC_DUPLICATE_KEY",
      "7:32 DAG_CYCLE",
      "7:42 SPEC_UNKNOWN_KEY",
      "8:39 DAG_UNKNOWN_STEP",
      "9:64 EXPR_REFERENCE",
      "10:16 PLUGIN_UNKNOWN",
    ]);
  });

  it("says what is not granted beside what is wrong, but of a plugin that is not there only that", () => {
    const text = `apiVersion: orrery/v1
kind: Dag
spec:
  schedules: [{ cron: "99 * * * *" }]
  steps:
    a: { uses: core.log@1.0.0, needs: nope, limits: { memory: 4Gi } }
    b: { uses: core.lgo@9.0.0 }
`;

    expect(tenantPlaces(text)).toEqual([
      "4:24 SCHEDULE_INVALID",
      "6:39 DAG_UNKNOWN_STEP",
      "6:63 LIMIT_OVER_QUOTA",
      "7:16 PLUGIN_UNKNOWN",
    ]);
  });

  it("leaves out what only follows from an unknown key", () => {
    const text = `apiVersion: orrery/v1
kind: Dag
spec:
  input: { day: { type: date } }
  steps:
    a: { uses: core.log@1.0.0 }
    b: { uses: core.log@1.0.0, neds: a, with: { message: "\${{ steps.a.status }} \${{ inputs.day }}" } }
    c: { uses: core.log@1.0.0, with: { message: "\${{ inputs.day }}" } }
    d: { uses: core.lgo@1.0.0 }
`;

    expect(tenantPlaces(text)).toEqual(["4:3 SPEC_UNKNOWN_KEY", "7:32 SPEC_UNKNOWN_KEY", "9:16 PLUGIN_UNKNOWN"]);
  });
});

describe("a quote that is never closed", () => {
  it.each([`"\\"`, `'\\''`, `a: "\\"`, `a: 'it''`, `- '''`, `a: "\\\\\\"`])(
    "is refused with and without a line end: %s",
    (text) => {
      for (const end of ["", "\n"]) {
        expect(formatDocument({ path, bytes: bytesOf(text + end) })).toMatchObject({
          ok: false,
          findings: [{ code: "SPEC_YAML" }],
        });
      }
    },
  );

  it.each([`a: ''`, `a: ""`, `a: ''''`, `a: "\\\\"`, `a: "\\\\\\""`, `a: b'`, `a: b"`])("is none here: %s", (text) => {
    expect(formatDocument({ path, bytes: bytesOf(text) }).ok).toBe(true);
  });
});
