import { describe, expect, it } from "vitest";
import type { ObservedTenant } from "../../../src/plan/index.ts";
import { ObservedTenants } from "../../../src/reconciler/read/observed-tenants.ts";
import type { RevisionStore } from "../../../src/store/index.ts";
import { type DaemonLife, openDaemonWorld } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, type FileChanges, logStep, tenantFiles } from "../../support/spec-commits.ts";

const names = Array.from({ length: 12 }, (_, n) => `d${String(n)}`);
const textOf = (message: string): string =>
  dagText({ schedules: [{ name: "daily", cron: "0 3 * * *" }], steps: { hello: logStep(message) } });
const openWorld = () =>
  openDaemonWorld({
    files: {
      ...tenantFiles("acme"),
      ...Object.fromEntries(names.map((name) => [dagPath("acme", name), textOf(name)])),
    },
  });

const document = (kind: string, spec: string): string => `apiVersion: orrery/v1\nkind: ${kind}\nspec: ${spec}\n`;
const tenantFile = (name: string): string => `tenants/acme/${name}.yaml`;

/** What a tenant lives through, a commit each. */
const history: readonly (readonly [what: string, changes: FileChanges])[] = [
  ["an edit", { [dagPath("acme", "d1")]: textOf("edited") }],
  ["a new DAG beside a pruned one", { [dagPath("acme", "e1")]: textOf("new"), [dagPath("acme", "d2")]: null }],
  ["a DAG that does not decode", { [dagPath("acme", "d3")]: "kind: [" }],
  ["another edit while one is held", { [dagPath("acme", "d1")]: textOf("again") }],
  ["a name that returns", { [dagPath("acme", "d2")]: textOf("returns"), [dagPath("acme", "d3")]: textOf("whole") }],
  ["a schedule that goes", { [dagPath("acme", "d4")]: dagText({ steps: { hello: logStep("no schedule") } }) }],
  [
    "a new name for a DAG",
    {
      [dagPath("acme", "d5")]: null,
      [dagPath("acme", "f5")]: textOf("moved").replace("kind: Dag", "kind: Dag\nmetadata: { renamedFrom: d5 }"),
    },
  ],
  ["grants that are gone", { [tenantFile("allowlist")]: document("Allowlist", "{}") }],
  ["an allowlist that does not decode", { [tenantFile("allowlist")]: "kind: [" }],
  ["grants that return", { [tenantFile("allowlist")]: tenantFiles("acme")[tenantFile("allowlist")] ?? null }],
  ["a suspended tenant", { [tenantFile("tenant")]: document("Tenant", "{ owners: [ana], suspend: true }") }],
  ["more than the brake lets pass", Object.fromEntries(names.slice(6).map((name) => [dagPath("acme", name), null]))],
  ["a quota", { [tenantFile("quota")]: document("Quota", "{ weight: 3 }"), ...whole(names.slice(6)) }],
];

function whole(dags: readonly string[]): FileChanges {
  return Object.fromEntries(dags.map((name) => [dagPath("acme", name), textOf(name)]));
}

const keyOf = ({ kind, name, type }: ObservedTenant["conditions"][number]): string => `${kind}/${name}/${type}`;
const sorted = (observed: ObservedTenant): ObservedTenant => ({
  ...observed,
  conditions: [...observed.conditions].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
});

/** The store, and how often all rows of a tenant were read. */
function counted(life: DaemonLife): { readonly store: RevisionStore; readonly reads: () => number } {
  let reads = 0;
  const { revision } = life.plant.store;
  const observeTenant: RevisionStore["observeTenant"] = (tenant) => {
    reads += 1;
    return revision.observeTenant(tenant);
  };
  return { store: { ...revision, observeTenant }, reads: () => reads };
}

describe("what a pass knows of a tenant from the one before", () => {
  it("is what reading all its rows would say, whatever the tenant lives through, and reads them once", async () => {
    await using world = await openWorld();
    const life = await world.live();
    const { store, reads } = counted(life);
    const observed = new ObservedTenants(store);
    await reconcilePass(life, { observed });
    for (const [what, changes] of history) {
      await world.spec.commit(changes);

      await reconcilePass(life, { observed });

      const known = await observed.at(await store.observeHead("acme"));
      const rows = await life.plant.store.revision.observeTenant("acme");
      expect(sorted(known), what).toEqual(sorted(rows));
    }
    expect(reads()).toBe(1);
  });

  it("does not count once another daemon applied, and the commit is applied all the same", async () => {
    await using world = await openWorld();
    const life = await world.live();
    const { store, reads } = counted(life);
    const observed = new ObservedTenants(store);
    await reconcilePass(life, { observed });
    await world.spec.commit({ [dagPath("acme", "d1")]: textOf("theirs") });
    await reconcilePass(await world.live());
    await world.spec.commit({ [dagPath("acme", "d1")]: textOf("ours") });

    const pass = await reconcilePass(life, { observed });

    expect([pass.applied, reads()]).toEqual([["acme"], 2]);
  });

  it("never keeps an old watermark: a slot that was claimed between two passes stays claimed", async () => {
    await using world = await openWorld();
    const life = await world.live();
    const { store, reads } = counted(life);
    const observed = new ObservedTenants(store);
    await reconcilePass(life, { observed });
    const claimed = "2020-01-01T00:00:00.000Z";
    await world.db.admin(`update watermark set slot = '${claimed}' where dag_id = 'd1'`);
    await world.spec.commit({ [dagPath("acme", "d1")]: textOf("edited") });

    await reconcilePass(life, { observed });

    const rows = await life.plant.store.revision.observeTenant("acme");
    const dag = rows.dags.find(({ dagId }) => dagId === "d1");
    expect(dag?.schedules.map(({ watermark }) => watermark)).toEqual([claimed]);
    expect(reads()).toBe(1);
  });

  it("is read anew by a full pass, which heals what a hand changed", async () => {
    await using world = await openWorld();
    const life = await world.live();
    const observed = new ObservedTenants(life.plant.store.revision);
    await reconcilePass(life, { observed });
    await world.db.admin("update dag set armed = false where dag_id = 'd1'");
    await world.db.admin("delete from condition where name = 'd2'");

    const pass = await reconcilePass(life, { observed, full: true });

    expect(pass.applied).toEqual(["acme"]);
    const rows = await life.plant.store.revision.observeTenant("acme");
    expect(rows.dags.find(({ dagId }) => dagId === "d1")?.armed).toBe(true);
    expect(rows.conditions.filter(({ name }) => name === "d2")).toHaveLength(2);
  });
});
