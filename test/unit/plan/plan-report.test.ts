import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText, type Json } from "../../../src/base/index.ts";
import { planChanges, renderMarkdown, renderReport, reportOf } from "../../../src/plan/index.ts";
import { fieldDiff } from "../../../src/plan/report/field-diff.ts";
import { fieldText } from "../../../src/plan/report/field-text.ts";
import type { PlanAuthority, ReportContext } from "../../../src/plan/report/plan-report.ts";
import { acme, after, desiredOf, every, hello, revision, type World } from "./plan-fixture.ts";

const json: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)
  .filter((value) => isJson(value));

function isJson(value: Json): boolean {
  try {
    return canonicalText(value) !== "";
  } catch {
    return false;
  }
}

describe("fieldDiff", () => {
  it("names fields by dots, list elements by their name, and leaves what is equal out", () => {
    const before = { a: { b: 1, keep: true }, list: [{ name: "x", v: 1 }, { name: "y" }], plain: [1, 2] };
    const later = { a: { b: 2, keep: true, c: null }, list: [{ name: "y" }, { name: "x", v: 2 }], plain: [2, 1] };

    expect(fieldDiff(before, later)).toEqual([
      { field: "a.b", before: 1, after: 2 },
      { field: "a.c", after: null },
      { field: "list.x.v", before: 1, after: 2 },
      { field: "plain", before: [1, 2], after: [2, 1] },
    ]);
  });

  it("is empty exactly for equal values, but for the order of named lists, and mirrors when turned round", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const there = fieldDiff(a, b);
        const back = fieldDiff(b, a);

        expect(fieldDiff(a, a)).toEqual([]);
        if (canonicalText(a) === canonicalText(b)) expect(there).toEqual([]);
        expect(back.map(({ field }) => field)).toEqual(there.map(({ field }) => field));
        expect(back.map((change) => [change.after, change.before])).toEqual(
          there.map((change) => [change.before, change.after]),
        );
      }),
    );
  });
});

describe("a field on one line", () => {
  it("has times and sizes as specs write them, and what a plugin calls a timeout as it is", () => {
    const lines = [
      { field: "timeout", before: 3_600_000, after: 1_800_000 },
      { field: "steps.a.limits.memory", after: 2 ** 27 },
      { field: "finally.b.retry.backoff", before: 1500 },
      { field: "schedules.nightly.catchUp.maxAge", before: null, after: 86_400_000 },
      { field: "perDay.artifacts", before: null, after: 2 ** 31 },
      { field: "steps.a.with.timeout", before: 1000, after: 2000 },
      { field: "steps.a.with.limits.memory", before: 1024, after: 2048 },
    ].map(fieldText);

    expect(lines).toEqual([
      "~ timeout: 1h -> 30m",
      "+ steps.a.limits.memory: 128Mi",
      "- finally.b.retry.backoff: 1500ms",
      "~ schedules.nightly.catchUp.maxAge: none -> 1d",
      "~ perDay.artifacts: none -> 2Gi",
      "~ steps.a.with.timeout: 1000 -> 2000",
      "~ steps.a.with.limits.memory: 1024 -> 2048",
    ]);
  });

  it("shows of long texts where they differ, not how they begin", () => {
    const code = (end: string): string => `${"a".repeat(300)}${end}`;

    const line = fieldText({ field: "steps.a.code", before: code("one"), after: code(`two${"b".repeat(300)}`) });

    expect(line).toBe(
      `~ steps.a.code: …${"a".repeat(20)}one" -> …${"a".repeat(20)}two${"b".repeat(77)}… (605 characters)`,
    );
  });
});

function report(before: World | null, later: World, more: Partial<ReportContext> = {}) {
  const observed = before === null ? [] : [after(before)];
  const stood = before === null ? null : desiredOf(before);
  const plan = planChanges({ revision, prunePercent: 100, tenants: [desiredOf(later)], findings: [] }, observed);
  return reportOf(plan, {
    from: before === null ? null : "f".repeat(40),
    asOf: new Date("2026-05-01T12:00:00.000Z"),
    hosts: 4,
    specTextOf: (_, dagId) => {
      const dag = stood?.kind === "readable" ? stood.dags.find((found) => found.dagId === dagId) : undefined;
      return dag?.kind === "readable" ? dag.specText : null;
    },
    ...{ site: "hq", authority: null, stalled: null },
    unfinished: (_, dagId) => (dagId === "gone" ? [{ runId: "r", runNo: 3, state: "queued" }] : []),
    ...more,
  });
}

describe("the report of a plan", () => {
  it("tells the next five slots before and after, and which run ends", () => {
    const { tenants } = report(
      acme({ tick: hello("x", every("1h")), gone: hello() }),
      acme({ tick: hello("x", every("15m")) }),
    );
    const [gone, tick] = tenants[0]?.dags ?? [];

    expect(tick?.firing.before.map(({ utc }) => utc.slice(11, 16))).toEqual([
      "13:00",
      "14:00",
      "15:00",
      "16:00",
      "17:00",
    ]);
    expect(tick?.firing.after.map(({ utc }) => utc.slice(11, 16))).toEqual([
      "12:15",
      "12:30",
      "12:45",
      "13:00",
      "13:15",
    ]);
    expect(tick?.fields).toEqual([{ field: "schedules.default.every", before: 3_600_000, after: 900_000 }]);
    expect(gone).toMatchObject({ kind: "prune", runs: [{ runNo: 3, effect: "is cancelled" }], firing: { after: [] } });
  });

  it("tells what the quota and the grants become, and what waits for a host", () => {
    const quota =
      "apiVersion: orrery/v1\nkind: Quota\nspec: { steps: { maxConcurrent: 9 }, runs: { maxConcurrent: 8 } }\n";
    const world = (more: Record<string, string>): World => acme({ hello: hello() }, more);
    const found = report(world({}), world({ "tenants/acme/quota.yaml": quota, "tenants/acme/allowlist.yaml": "" }));
    const granted = report(null, world({}));

    expect(found.tenants[0]?.blocked).toMatchObject({ kind: "held" });
    expect(found.capacity).toMatchObject({ steps: { before: 4, after: 4 } });
    expect(granted.tenants[0]?.grants.gained.length).toBeGreaterThan(0);
    const wider = report(world({}), world({ "tenants/acme/quota.yaml": quota }));
    expect(wider.capacity).toEqual({
      runs: { before: 4, after: 8 },
      steps: { before: 4, after: 9 },
      hosts: 4,
      overcommit: { before: 0, after: 5 },
    });
    expect(renderReport(wider).join("\n")).toContain(
      "4 -> 9 steps at once by quota; 4 hosts: 5 of these steps would wait",
    );
  });

  it("in Markdown lets nothing of a document become a link, an image, HTML or a cell border", () => {
    const evil = "](http://evil.example) ![x](y) | <img src=x> ``` `a` @everyone";
    const text = renderMarkdown(report(acme({ hello: hello("x") }), acme({ hello: hello(evil) })));
    const lines = text.split("\n").filter((line) => line.includes("evil"));

    expect(lines).toHaveLength(1);
    // Within a code span that is longer than any run of backticks in it.
    expect(lines[0]).toMatch(/^- ````+ .* ````+$/u);
    expect(lines[0]).toContain("\\|");
  });

  it("guarantees a share of the hosts, and never more than the quota lets a tenant use", () => {
    const quota = (weight: number) =>
      `apiVersion: orrery/v1\nkind: Quota\nspec: { weight: ${String(weight)}, perDay: { cpuTime: 2h } }\n`;
    const { tenants } = report(
      acme({ hello: hello() }),
      acme({ hello: hello() }, { "tenants/acme/quota.yaml": quota(3) }),
      { hosts: 64 },
    );

    expect(tenants[0]?.quota).toEqual({
      fields: [
        { field: "perDay.cpuTime", before: null, after: 7_200_000 },
        { field: "weight", before: 1, after: 3 },
      ],
      share: { before: 1, after: 1 },
      guaranteed: { before: 4, after: 4 },
    });
  });

  it("says that no daemon was asked where runs under way are not known, in every form", () => {
    const worlds = [acme({ hello: hello("x") }), acme({ hello: hello("y") })] as const;
    const unknown = report(...worlds, { unfinished: () => null });
    const none = report(...worlds);

    expect(unknown.tenants[0]?.dags[0]?.runs).toBeNull();
    expect(none.tenants[0]?.dags[0]?.runs).toEqual([]);
    expect(renderReport(unknown)).toContain("runs under way: not known, no daemon was asked");
    expect(renderMarkdown(unknown)).toContain("Runs under way: not known, no daemon was asked.");
    expect(renderReport(none).join("\n") + renderMarkdown(none)).not.toContain("no daemon was asked");
  });

  it("says of each rule what it wants and has, and lets no name of the repository steer a page or a terminal", () => {
    const authority: PlanAuthority = {
      ...{ planHash: "a".repeat(64), commits: "warn" },
      demands: [
        {
          rule: { match: "tenants/*/quota.yaml", by: "operators", approvals: 1, line: 12 },
          paths: ["a", "b", "c", "d", "e", "f", "g"].map((name) => `tenants/${name}/quota.yaml`),
          maySign: ["omar@hq.example", "oya@hq.example"],
          signedBy: [
            { principal: "omar@hq.example", commits: ["1".repeat(40)], may: true },
            { principal: null, commits: ["2".repeat(40)], may: false },
          ],
          ...{ wanted: 1, approvedBy: [], rejectedBy: ["oya@hq.example"], isApproved: false, mayApprove: [] },
        },
        {
          ...{ rule: null, paths: ["x|](http://evil.example)\u001b[2J"], maySign: [], signedBy: [], wanted: 0 },
          ...{ approvedBy: [], rejectedBy: [], isApproved: false, mayApprove: [] },
        },
      ],
      people: { gained: ["eve@hq.example in operators"], lost: [] },
    };
    const found = report(acme({ hello: hello("x") }), acme({ hello: hello("y") }), { authority });
    const [text, markdown] = [renderReport(found).join("\n"), renderMarkdown(found)];

    for (const words of [text, markdown]) {
      expect(words).toContain("tenants/e/quota.yaml and 2 more");
      expect(words).toContain("of operators, with 1 approval");
      expect(words).toContain("signed: omar@hq.example (111111111111)");
      expect(words).toContain("signed: by no key that the base knows (222222222222), who may not");
      expect(words).toContain("approvals: 0 of 1 there; may approve: nobody");
      expect(words).toContain("rejected by: oya@hq.example");
      expect(words).toContain("no rule of trust.paths matches: nobody may change it");
      expect(words).toContain("commits: warn: signatures and these rules stop nobody");
      expect(words).toContain("a".repeat(64));
      expect(words).not.toContain("\u001b");
    }
    expect(text).toMatch(/^ {2}! {2}tenants\/a\/quota.yaml/mu);
    expect(markdown).toContain("`x\\|](http://evil.example)\\u{1b}[2J`");
    expect(markdown).toContain("- may now: `eve@hq.example in operators`");
  });
});
