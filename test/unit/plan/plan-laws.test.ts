import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/node-digest.ts";
import {
  type DesiredTenant,
  isNoop,
  isTenantNoop,
  neverApplied,
  type ObservedTenant,
  planChanges,
  reconcileFacts,
  renderPlan,
} from "../../../src/plan/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { acme, applied, changeOf, desiredOf, every, hello, now, planOf, words } from "./plan-fixture.ts";

// Texts of a DAG: fine in several versions, not granted, scheduled, wrong in itself, no YAML at all.
const dagTexts = fc.constantFrom(
  hello("one"),
  hello("two"),
  hello("three", every("15m")),
  hello("four", every("1s")),
  hello("five").replace("core.log@1.0.0", "core.log@2.0.0"),
  hello("six").replace("uses:", "needs: hello\n      uses:"),
  hello("seven").replace("core.log@1.0.0", "acme-tools.x@1.0.0"),
  "apiVersion: orrery/v1\nkind: Dag\nspec: {}\n",
  ": - [",
);

const extras = fc.record(
  {
    "tenants/acme/tenant.yaml": fc.constantFrom(
      "apiVersion: orrery/v1\nkind: Tenant\nspec: { owners: [ana], suspend: true }\n",
      "apiVersion: orrery/v1\nkind: Tenant\nspec: { owners: [ana] }\n",
    ),
    "tenants/acme/quota.yaml": fc.constantFrom(
      "apiVersion: orrery/v1\nkind: Quota\nspec: { minInterval: 1s }\n",
      "apiVersion: orrery/v1\nkind: Quota\nspec: { minInterval: soon }\n",
    ),
  },
  { requiredKeys: [] },
);

const worlds = fc
  .record({
    dags: fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), dagTexts, { maxKeys: 7 }),
    more: extras,
    js: fc.constantFrom(undefined, undefined, undefined, "var plugin={};"),
  })
  .map(({ dags, more, js }) => ({
    ...acme(dags, Object.fromEntries(Object.entries(more))),
    ...(js === undefined ? {} : { js }),
  }));

const desires: fc.Arbitrary<DesiredTenant> = worlds.map(desiredOf);
const histories = fc.array(desires, { maxLength: 4 });

/** What the store holds after a history: the only states that planTenant meets. */
const walk = (history: readonly DesiredTenant[]): ObservedTenant =>
  history.reduce<ObservedTenant>((observed, desired, i) => {
    const plan = planOf(desired, observed, { revision: String(i).repeat(40) });
    return isTenantNoop(plan) ? observed : applied(observed, changeOf(plan));
  }, neverApplied("acme"));

// On a busy machine fewer worlds, not a red test.
const runs = { numRuns: rounds(60, 1500), interruptAfterTimeLimit: soakTimeout(8000) };

describe("laws of the plan", () => {
  it("one apply settles: the same plan again is a noop", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        const have = walk(history);
        const plan = planOf(want, have);
        const then = isTenantNoop(plan) ? have : applied(have, changeOf(plan));

        expect(isTenantNoop(planOf(want, then))).toBe(true);
      }),
      runs,
    );
  });

  it("a noop says nothing for the record", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        const plan = planOf(want, walk([...history, want, want]));

        expect(isTenantNoop(plan)).toBe(true);
        expect(reconcileFacts(plan, now, sha256)).toBeNull();
      }),
      runs,
    );
  });

  it("never prunes what did not decode, and writes nothing of what is held but that it stops or goes on", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        const plan = planOf(want, walk(history));
        const present = new Set(want.kind === "readable" ? want.dags.map((dag) => dag.dagId) : []);
        const held = plan.dags.filter((c) => c.kind === "hold").map((c) => c.dagId);

        for (const change of plan.dags) if (change.kind === "prune") expect(present.has(change.dagId)).toBe(false);
        if (want.kind === "unreadable") expect(plan.dags).toEqual([]);
        for (const write of changeOf(plan).dags) if (write.kind !== "suspend") expect(held).not.toContain(write.dagId);
      }),
      runs,
    );
  });

  it("a held DAG keeps the version, the plugins and the watermark that it had", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        const have = walk(history);
        const plan = planOf(want, have);
        const then = applied(have, changeOf(plan));

        for (const change of plan.dags) {
          if (change.kind !== "hold" || change.from === null) continue;
          const suspended = plan.blocked === null ? want.kind === "readable" && want.suspended : have.suspended;
          expect(then.dags.find((dag) => dag.dagId === change.dagId)).toEqual({ ...change.from, suspended });
          expect(then.snapshot?.plugins).toMatchObject(have.snapshot?.plugins ?? {});
        }
      }),
      runs,
    );
  });

  it("order of input is irrelevant, changes come in key order", () => {
    fc.assert(
      fc.property(worlds, histories, fc.infiniteStream(fc.nat()), (world, history, chance) => {
        const have = walk(history);
        const shuffle = <T>(items: readonly T[]): T[] =>
          items
            .map((item) => ({ item, key: Number(chance.next().value) }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const fingerprint = "f";
        const one = planOf(desiredOf({ ...world, fingerprint }), have);
        const documents = Object.fromEntries(shuffle(Object.entries(world.documents)));
        const stands = { ...have, dags: shuffle(have.dags), conditions: shuffle(have.conditions) };
        const two = planOf(desiredOf({ ...world, documents, fingerprint }), stands);

        expect(changeOf(two)).toEqual(changeOf(one));
        expect(two.findings).toEqual(one.findings);
        expect(words(one).map((w) => w.split(" ")[1])).toEqual(
          words(one)
            .map((w) => w.split(" ")[1])
            .sort(),
        );
      }),
      runs,
    );
  });

  it("never arms what a finding denies, and never lets an error through", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        for (const change of planOf(want, walk(history)).dags) {
          if (change.kind !== "create" && change.kind !== "update") continue;
          const severities = change.to.findings.map((finding) => finding.severity);
          expect(severities).not.toContain("error");
          expect(change.to.armed).toBe(!severities.includes("denied"));
        }
      }),
      runs,
    );
  });

  it("names each DAG and the tenant once for Ready and once for Stalled", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        const { conditions } = planOf(want, walk(history));
        const keys = conditions.map((c) => `${c.kind}/${c.name}/${c.type}`);

        expect(new Set(keys).size).toBe(keys.length);
        expect(keys).toContain("Tenant/acme/Ready");
        for (const c of conditions) expect(c.message.length).toBeGreaterThan(0);
      }),
      runs,
    );
  });

  it("a site's plan is a noop exactly where each tenant's is, and always renders", () => {
    fc.assert(
      fc.property(histories, desires, (history, want) => {
        const have = walk(history);
        const plan = planChanges({ revision: "r", prunePercent: 20, tenants: [want], findings: [] }, [have]);

        expect(isNoop(plan)).toBe(plan.tenants.every(isTenantNoop));
        expect(plan.applyable).toBe(!isNoop(plan) && plan.tenants[0]?.blocked === null);
        expect(renderPlan(plan)).toMatch(/Plan: \d+ to create/);
      }),
      runs,
    );
  });
});
