import { expect, it } from "vitest";
import { forecast, planTenant, treesOf } from "../../../src/plan/index.ts";
import { effectiveQuotaAt } from "../../../src/spec/index.ts";
import { acme, applied, after as appliedAll, changeOf, desiredOf } from "./plan-fixture.ts";

const quota = `apiVersion: orrery/v1
kind: Quota
spec:
  minInterval: 1h
  overrides: [{ until: "2026-11-24T12:00:00Z", minInterval: 1m, rationale: month end }]
`;
const often = `apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Often.
  schedules: [{ every: 5m }]
  steps: { a: { uses: core.log@1.0.0, with: { message: hi } } }
`;
const world = acme({ often }, { "tenants/acme/quota.yaml": quota });
const nobody = appliedAll();
const planAt = (at: string, observed = nobody) => {
  const desired = desiredOf({ ...world, fingerprint: "trees", at });
  return planTenant(desired, observed, { revision: "c".repeat(40), prunePercent: 20, now: at });
};

it("a DAG that an override lets run is armed while it holds, and no longer after, with no commit between", () => {
  const during = planAt("2026-11-24T11:59:59.999Z");
  const then = applied(nobody, changeOf(during));
  const again = planAt("2026-11-24T11:59:59.999Z", then);
  const after = planAt("2026-11-24T12:00:00.000Z", then);

  const armedIn = (plan: typeof during) =>
    plan.dags.flatMap((change) => (change.kind === "create" || change.kind === "update" ? [change.to.armed] : []));
  expect([armedIn(during), armedIn(again), armedIn(after)]).toEqual([[true], [], [false]]);
  // The pass tells by the fingerprint that it must look again; its trees are the same.
  expect(during.desired.fingerprint).not.toBe(after.desired.fingerprint);
  expect([during, after].map((plan) => treesOf(plan.desired.fingerprint))).toEqual(["trees", "trees"]);
});

it("an override that has ended is a warning at its place", () => {
  const desired = desiredOf({ ...world, at: "2026-11-25T00:00:00.000Z" });

  expect(desired.findings).toMatchObject([
    { code: "OVERRIDE_ENDED", severity: "warning", line: 5, pointer: "/spec/overrides/0/until" },
  ]);
  expect(desiredOf(world).findings).toEqual([]);
});

it("a forecast holds starts back until the next hour, and sees an override end", () => {
  const desired = desiredOf({ ...world, at: "2026-11-24T10:00:00.000Z" });
  if (desired.kind !== "readable") throw new Error("unreadable");
  const [dag] = desired.dags;
  if (dag?.kind !== "readable") throw new Error("unreadable");
  const rated = {
    ...desired.quota,
    runs: { maxConcurrent: 4, maxQueued: 100, startsPerHour: 6 },
    overrides: [{ until: "2026-11-24T11:30:00.000Z", rationale: "x", limits: { runs: { startsPerHour: 3 } } }],
  };
  const one = { dagId: dag.dagId, spec: dag.spec, blocked: null, durationMs: 1000, cpuMs: null, artifactBytes: null };
  const [played] = forecast(
    [
      {
        tenant: "acme",
        quotaAt: (at) => effectiveQuotaAt(rated, at),
        quotaTurns: [new Date("2026-11-24T11:30:00.000Z")],
        dags: [one],
      },
    ],
    { from: new Date("2026-11-24T09:59:59Z"), to: new Date("2026-11-24T12:00:00Z"), capacity: null, withSlots: false },
  );

  // 3 start in the hour of 10, 3 in that of 11 and 3 more once the override is over, and one at 12.
  expect(played).toMatchObject({ slots: 25, started: 3 + 6 + 1, waiting: 15 });
});
