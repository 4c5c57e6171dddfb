import { describe, expect, it } from "vitest";
import { isTenantNoop, type ObservedTenant, type Suspension } from "../../../src/plan/index.ts";
import { acme, after, applied, changeOf, desiredOf, hello, planOf, said, words } from "./plan-fixture.ts";

const now = "2026-05-01T12:00:00.000Z";
const later = "2026-05-01T13:00:00.001Z";
const broken = "apiVersion: orrery/v1\nkind: Dag\nspec: [\n";

const stop = (dagId: string | null): Suspension => ({
  ...{ dagId, reason: "it floods the feed", ticket: "INC-7", subject: "omar@hq.example" },
  ...{ since: now, until: "2026-05-01T13:00:00.000Z" },
});
const withStop = (observed: ObservedTenant, dagId: string | null): ObservedTenant => ({
  ...observed,
  suspensions: [stop(dagId)],
});
const suspendedOf = ({ dags }: ObservedTenant): readonly string[] =>
  dags.filter(({ suspended }) => suspended).map(({ dagId }) => dagId);

describe("break-glass", () => {
  it("stops one DAG until it ends, says who and why, settles, and lets it go on by itself", () => {
    const world = acme({ flood: hello(), calm: hello() });
    const stopped = withStop(after(world), "flood");

    const plan = planOf(desiredOf(world), stopped, { now });
    const then = applied(stopped, changeOf(plan));
    const over = planOf(desiredOf(world), then, { now: later });

    expect(words(plan)).toEqual(["update flood suspended"]);
    expect(said(plan, "flood")).toBe(
      "False Suspended: suspended by omar@hq.example until 2026-05-01T13:00:00.000Z: it floods the feed (INC-7)",
    );
    expect(suspendedOf(then)).toEqual(["flood"]);
    expect(isTenantNoop(planOf(desiredOf(world), then, { now }))).toBe(true);
    expect(words(over)).toEqual(["update flood suspended"]);
    expect(suspendedOf(applied(then, changeOf(over)))).toEqual([]);
  });

  it("of a whole tenant stops every DAG, also one that comes meanwhile", () => {
    const stopped = withStop(after(acme({ a: hello() })), null);
    const world = acme({ a: hello(), b: hello() });

    const then = applied(stopped, changeOf(planOf(desiredOf(world), stopped, { now })));

    expect(suspendedOf(then)).toEqual(["a", "b"]);
  });

  it("reaches a DAG that is held at an older version, and one of a tenant that is held as a whole", () => {
    const held = withStop(after(acme({ a: hello() })), "a");

    const one = planOf(desiredOf(acme({ a: broken })), held, { now });
    const whole = planOf(desiredOf(acme({ a: hello() }, { "tenants/acme/quota.yaml": "spec: [" })), held, { now });

    for (const plan of [one, whole]) {
      const then = applied(held, changeOf(plan));
      expect(suspendedOf(then)).toEqual(["a"]);
      expect(then.dags[0]?.specHash).toBe(held.dags[0]?.specHash);
    }
  });

  it("does not count where the clock is not known", () => {
    const world = acme({ a: hello() });

    expect(isTenantNoop(planOf(desiredOf(world), withStop(after(world), "a"), { now: null }))).toBe(true);
  });
});
