import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText, type Json } from "../../../src/base/index.ts";
import { planChanges, renderMarkdown, renderReport, reportOf } from "../../../src/plan/index.ts";
import { fieldDiff } from "../../../src/plan/report/field-diff.ts";
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

function report(before: World | null, later: World) {
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
    unfinished: (_, dagId) => (dagId === "gone" ? [{ runId: "r", runNo: 3, state: "queued" }] : []),
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
});
