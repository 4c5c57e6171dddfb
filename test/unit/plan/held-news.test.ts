import { describe, expect, it } from "vitest";
import { heldNews, type TenantPlan } from "../../../src/plan/index.ts";
import { acme, after, applied, changeOf, dagPath, desiredOf, hello, planOf, type World } from "./plan-fixture.ts";

const broken = hello("x", "  stepz: {}\n  more: {}\n");
const noGrant = { "tenants/acme/allowlist.yaml": "apiVersion: orrery/v1\nkind: Allowlist\nspec: {}\n" };

const brief = (plan: TenantPlan): readonly unknown[] =>
  heldNews(plan).map(({ what, path, finding, more }) => [what, path, finding?.line ?? null, finding?.code, more]);

function again(plan: TenantPlan, next: World): TenantPlan {
  return planOf(desiredOf(next), applied(plan.observed, changeOf(plan)));
}

describe("heldNews", () => {
  it("names each held document with its place and code, and says it once", () => {
    const world = acme({ hello: broken, other: hello() });
    const plan = planOf(desiredOf(world), after(acme({ hello: hello(), other: hello() })));

    expect(brief(plan)).toEqual([["held", dagPath("hello"), 5, "SPEC_UNKNOWN_KEY", 1]]);
    expect(brief(again(plan, world))).toEqual([]);
  });

  it("says it again for another reason", () => {
    const plan = planOf(desiredOf(acme({ hello: broken })));
    const worse = acme({ hello: "apiVersion: orrery/v1\nkind: Dag\nspec: [\n" });

    expect(brief(again(plan, worse))).toMatchObject([["held", dagPath("hello"), expect.any(Number), "SPEC_YAML", 0]]);
  });

  it("names a DAG that is applied and not armed by its denial", () => {
    const world = acme({ hello: hello() }, noGrant);
    const plan = planOf(desiredOf(world));

    expect(brief(plan)).toMatchObject([["not_armed", dagPath("hello"), 7, "PLUGIN_NOT_ALLOWED", 0]]);
    expect(brief(again(plan, world))).toEqual([]);
  });

  it("says nothing of a suspended tenant, nor of what is well", () => {
    const suspended = {
      "tenants/acme/tenant.yaml":
        "apiVersion: orrery/v1\nkind: Tenant\nspec: { owners: [ana@acme.example], suspend: true }\n",
    };

    expect(brief(planOf(desiredOf(acme({ hello: hello() }))))).toEqual([]);
    expect(brief(planOf(desiredOf(acme({ hello: hello() }, suspended))))).toEqual([]);
  });

  it("names the document that holds a whole tenant, and not its DAGs", () => {
    const quota = { "tenants/acme/quota.yaml": "apiVersion: orrery/v1\nkind: Quota\nspec: { weigth: 2 }\n" };
    const plan = planOf(desiredOf(acme({ hello: broken }, quota)), after(acme({ hello: hello() })));

    expect(brief(plan)).toMatchObject([["held", "tenants/acme/quota.yaml", 3, "SPEC_UNKNOWN_KEY", 0]]);
  });

  it("names the tenant where the prune brake holds it", () => {
    const plan = planOf(desiredOf(acme({})), after(acme({ a: hello(), b: hello() })));

    expect(heldNews(plan)).toMatchObject([{ what: "held", path: "tenants/acme/", finding: null }]);
    expect(heldNews(plan)[0]?.message).toContain("2 of 2 DAGs would be pruned");
  });
});
