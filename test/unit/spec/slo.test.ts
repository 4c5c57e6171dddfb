import { describe, expect, it } from "vitest";
import { checkSlo, type DagSpec, decodeDocument, sortFindings } from "../../../src/spec/index.ts";
import { bytesOf, decoded, marked, sampleDag } from "../../support/spec-fixtures.ts";

const path = "tenants/acme/slo.yaml";
const slo = (objectives: string): string =>
  `apiVersion: orrery/v1\nkind: Slo\nspec:\n  objectives:\n    - ${objectives}\n`;
const dagOf = (spec = ""): DagSpec =>
  sampleDag(`apiVersion: orrery/v1\nkind: Dag\nspec:\n  steps: { a: { uses: core.log@1.0.0 } }\n${spec}`);

function judge(source: string, dags: Readonly<Record<string, DagSpec | null>>, intervalMs = Number.POSITIVE_INFINITY) {
  const { text, line, col } = marked(slo(source));
  const document = decoded(path, text);
  if (document.kind !== "Slo") throw new Error("no Slo");
  const context = {
    ...{ path, positions: document.positions, dags: new Map(Object.entries(dags)) },
    shortestIntervalMs: () => intervalMs,
  };
  return { findings: sortFindings(checkSlo(document.spec, context)), line, col };
}

describe("slo.yaml", () => {
  it("becomes numbers: percent, ms, with the window's default", () => {
    const document = decoded(path, slo('{ dag: a, success: "99.9%", within: 30m, fresh: 26h }'));

    expect(document.spec).toEqual({
      objectives: [
        { dag: "a", successPercent: 99.9, withinMs: 1_800_000, freshMs: 93_600_000, windowMs: 2_592_000_000 },
      ],
    });
    expect(document.specText).not.toContain("window");
  });

  it.each([
    ["a share without percent sign", "SPEC_TYPE", '{ dag: a, success: §"0.99" }'],
    ["0 percent", "SPEC_TYPE", '{ dag: a, success: §"0%" }'],
    ["more than all", "SPEC_TYPE", '{ dag: a, success: §"101%" }'],
    ["100.1 percent", "SPEC_TYPE", '{ dag: a, success: §"100.1%" }'],
    ["a number", "SPEC_TYPE", "{ dag: a, success: §99 }"],
    ["no promise", "SPEC_TYPE", "§{ dag: a }"],
    ["no DAG", "SPEC_MISSING_KEY", "§{ within: 5m }"],
    ["a DAG of another tenant", "SPEC_TYPE", "{ dag: §umbra/a, within: 5m }"],
    ["a window of a minute", "SPEC_TYPE", '{ dag: a, success: "99%", window: §1m }'],
    ["a window of a year", "SPEC_TYPE", '{ dag: a, success: "99%", window: §365d }'],
    ["within beyond the window", "SPEC_TYPE", "{ dag: a, within: §2d, window: 1d }"],
    ["fresh beyond the window", "SPEC_TYPE", "{ dag: a, fresh: §2d, window: 1d }"],
    ["one DAG twice", "DAG_DUPLICATE_NAME", "{ dag: a, within: 5m }\n    - { dag: §a, fresh: 1d }"],
    ["a word of another tool", "SPEC_UNKNOWN_KEY", "{ dag: a, within: 5m, §target: 3 }"],
  ])("refuses %s", (_what, code, source) => {
    const { text, line, col } = marked(slo(source));

    const result = decodeDocument({ path, bytes: bytesOf(text) });

    expect(result.ok ? [] : result.findings).toContainEqual(expect.objectContaining({ code, line, col }));
  });

  it("names a DAG that is not there, with its nearest", () => {
    const { findings, line, col } = judge("{ dag: §nightly-vx, within: 5m }", { "nightly-vex": dagOf() });

    expect(findings).toMatchObject([{ code: "SLO_UNKNOWN_DAG", severity: "error", line, col }]);
    expect(findings[0]?.fix).toContain("nightly-vex");
  });

  it("says nothing of a DAG that does not decode", () => {
    expect(judge("{ dag: a, within: 5m }", { a: null }).findings).toEqual([]);
  });

  it("warns of a promise that the schedule cannot keep", () => {
    const { findings, line, col } = judge("{ dag: a, fresh: §20h }", { a: dagOf() }, 86_400_000);

    expect(findings).toMatchObject([{ code: "SLO_UNREACHABLE", severity: "warning", line, col }]);
    expect(judge("{ dag: a, fresh: 26h }", { a: dagOf() }, 86_400_000).findings).toEqual([]);
  });

  it("warns of a promise that cannot be broken", () => {
    const skips = dagOf("  timeout: 10m\n  concurrency: { overlap: skip }\n");
    const { findings, line, col } = judge("{ dag: a, within: §1h }", { a: skips });

    expect(findings).toMatchObject([{ code: "SLO_UNREACHABLE", severity: "warning", line, col }]);
  });
});
