import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type DagDetail, oldVersion, renderDag } from "../../../src/cli/query/dag-text.ts";
import { factsText } from "../../../src/cli/query/event-text.ts";
import { conditionReasons, findReason } from "../../../src/plan/index.ts";
import type { ConditionView } from "../../../src/store/index.ts";

const newer = "b".repeat(40);
const condition = (over: Partial<ConditionView>): ConditionView => ({
  ...{ kind: "Dag", name: "hello", type: "Ready", status: "True", reason: "Applied", message: "armed" },
  ...{ observedRevision: newer, since: "2026-11-24T00:00:00.000Z", ...over },
});
const quiet = condition({ type: "Stalled", status: "False" });

const detail = (conditions: readonly ConditionView[], over: Partial<Omit<DagDetail, "dag">> = {}): DagDetail => ({
  dag: {
    ...{ tenant: "acme", dagId: "hello", specHash: "1".repeat(64), specText: "{}", commit: "2".repeat(40) },
    ...{ armed: true, suspended: false, pruned: false, schedules: [], appliedRevision: "2".repeat(40), conditions },
  },
  tenant: { conditions: [] },
  site: { stalled: null },
  ...over,
});

describe("describe of a DAG", () => {
  it("says in one line that an old version runs, for the DAG, its tenant and the site, and nothing where the newest runs", () => {
    const held = [
      condition({ status: "False", reason: "Held", message: "held at 1: x" }),
      condition({ type: "Stalled", reason: "Held", message: "held at 1: x" }),
    ];
    const frozen = condition({ kind: "Tenant", name: "acme", type: "Stalled", reason: "Frozen", message: "until May" });
    const stalled = { reason: "ApprovalsMissing", message: "commit c wants 1\u001b[2J" };
    const sums = condition({ kind: "Tenant", name: "acme", type: "Stalled", reason: "Held", message: "1 DAG(s) held" });

    expect(oldVersion(detail(held))).toEqual([
      "OLD VERSION runs: spec 111111111111 stays until the version of bbbbbbbbbbbb is fixed (below: Stalled)",
    ]);
    expect(oldVersion(detail([condition({}), quiet], { tenant: { conditions: [frozen] } }))).toEqual([
      "MAY BE OLD: changes of acme from bbbbbbbbbbbb on wait: Frozen: until May",
    ]);
    expect(oldVersion(detail([condition({}), quiet], { site: { stalled } }))).toEqual([
      "MAY BE OLD: newer commits wait: ApprovalsMissing: commit c wants 1\\u{1b}[2J",
    ]);
    expect(oldVersion(detail([condition({}), quiet], { tenant: { conditions: [sums] } }))).toEqual([]);
    expect(oldVersion(detail([condition({}), quiet], { tenant: null }))).toEqual([]);
  });

  it("shows since when each condition holds and the revision that gave rise to it", () => {
    const lines = renderDag(detail([condition({ status: "False", reason: "NotAllowed", message: "no" }), quiet]));

    expect(lines.split("\n").slice(-2)).toEqual([
      "  Ready=False  NotAllowed: no  since 2026-11-24T00:00:00.000Z, first said of bbbbbbbbbbbb",
      "  Stalled=False  since 2026-11-24T00:00:00.000Z",
    ]);
  });
});

describe("the facts of an event", () => {
  it("cut hashes and commits short, and nothing else", () => {
    const facts = { path: "tenants/acme/dags/hello.yaml", revision: newer, armed: true };

    expect(factsText(facts)).toBe("path=tenants/acme/dags/hello.yaml revision=bbbbbbbbbbbb armed=true");
    expect(factsText({ type: "Ready", status: "False", reason: "Held", message: "x\u001b" })).toBe(
      "Ready=False Held: x\\u{1b}",
    );
  });
});

describe("the reasons of conditions", () => {
  it("stand in the operator's guide, each with what it means", () => {
    const guide = readFileSync("docs/operator.md", "utf8");

    for (const name of Object.keys(conditionReasons)) expect(guide).toMatch(new RegExp(`^\\| \`${name}\` \\|`, "mu"));
    expect(findReason("NotAllowed")?.fix).toContain("grant");
    expect(findReason("toString")).toBeNull();
  });
});
