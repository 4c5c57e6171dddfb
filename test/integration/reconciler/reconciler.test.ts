import { afterEach, describe, expect, it } from "vitest";
import { publicKeyLine } from "../../../src/trust/index.ts";
import { specKey, testKey } from "../../support/audit-fixtures.ts";
import { type DaemonLife, type DaemonWorld, openDaemonWorld, worldSite } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import {
  dagPath,
  dagText,
  type FileChanges,
  logStep,
  type SpecCommits,
  siteFile,
  tenantFiles,
} from "../../support/spec-commits.ts";
import { tableMarks } from "../../support/table-marks.ts";

const hello = dagText({ steps: { hello: logStep() } });
const ticking = dagText({ schedules: [{ every: "15s" }], steps: { hello: logStep() } });
const changed = dagText({ steps: { hello: logStep("other") } });
const twoTenants: FileChanges = {
  ...tenantFiles("acme"),
  ...tenantFiles("beta"),
  [dagPath("acme", "hello")]: hello,
  [dagPath("acme", "tick")]: ticking,
  [dagPath("beta", "hello")]: hello,
};

let world: DaemonWorld;
afterEach(() => world[Symbol.asyncDispose]());

async function setup(files: FileChanges = twoTenants): Promise<{ spec: SpecCommits; life: DaemonLife }> {
  world = await openDaemonWorld({ files });
  const life = await world.live();
  return { spec: world.spec, life };
}

const readyOf = async (life: DaemonLife, tenant: string, dagId: string): Promise<string | null> => {
  const dag = await life.plant.store.ledger.getDag(tenant, dagId);
  return dag?.conditions.find(({ type }) => type === "Ready")?.reason ?? null;
};
const siteConditions = (): Promise<readonly { type: string; status: string; reason: string; message: string }[]> =>
  world.db.admin("select type, status, reason, message from condition where kind = 'Site' order by type");
const records = async (tenant: string): Promise<readonly string[]> =>
  (await world.waiting(tenant)).map(({ recordId }) => recordId);

describe("a pass over a real store", () => {
  it("that finds nothing changed writes no row, neither the first look after it nor the full one", async () => {
    const { life } = await setup();
    const first = await reconcilePass(life);
    const before = await tableMarks(world.db);

    const again = await reconcilePass(life);
    const full = await reconcilePass(life, { full: true });

    expect(first.applied).toEqual(["acme", "beta"]);
    expect([again.applied, full.applied]).toEqual([[], []]);
    expect(await tableMarks(world.db)).toEqual(before);
  });

  it("writes one genesis, one _site record and one record a tenant, and names what it activated", async () => {
    const { spec, life } = await setup();

    await reconcilePass(life);

    expect(await records("_site")).toEqual([`genesis/${worldSite}`, `reconcile/${spec.head}/0`]);
    const [acme] = await world.waiting<{ activations: { dagId: string }[]; changes: unknown[] }>("acme");
    expect(acme?.activations.map(({ dagId }) => dagId)).toEqual(["tick"]);
    expect(await records("beta")).toEqual([`reconcile/${spec.head}/2`]);
  });

  it("by two reconcilers on one database at once converges, and no record is written twice", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const other = await world.live();

    for (let n = 0; n < 8; n++) {
      const text = dagText({ steps: { hello: logStep(`version ${String(n)}`) } });
      await spec.commit({ [dagPath("acme", "hello")]: text, [dagPath("beta", "hello")]: text });
      await Promise.allSettled([reconcilePass(life), reconcilePass(other, { full: true }), reconcilePass(life)]);
      await reconcilePass(other);
      const dag = await life.plant.store.ledger.getDag("acme", "hello");
      expect(dag?.appliedRevision).toBe(spec.head);
    }

    const settled = await tableMarks(world.db);
    const [one, two] = await Promise.all([reconcilePass(life), reconcilePass(other)]);
    expect([one.applied, two.applied, await tableMarks(world.db)]).toEqual([[], [], settled]);
    for (const tenant of ["_site", "acme", "beta"]) {
      const ids = await records(tenant);
      expect(ids.length).toBe(new Set(ids).size);
      expect([tenant, ids.length]).toEqual([tenant, tenant === "_site" ? 10 : 9]);
    }
  });

  it("a database that forgot a DAG is healed by the full pass alone, with a record of its own", async () => {
    const { life } = await setup();
    await reconcilePass(life);
    await world.db.admin("update dag set armed = false where tenant_id = 'beta'");

    const look = await reconcilePass(life);
    const heal = await reconcilePass(life, { full: true });

    expect([look.applied, heal.applied]).toEqual([[], ["beta"]]);
    expect((await life.plant.store.ledger.getDag("beta", "hello"))?.armed).toBe(true);
    expect(await world.waiting("beta")).toHaveLength(2);
  });
});

describe("the history of a DAG's conditions", () => {
  it("holds each turn once, with the revision at which it came, and nothing for a pass that turns nothing", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const bad = await spec.commit({ [dagPath("acme", "hello")]: "spec: [" });
    await reconcilePass(life);
    await reconcilePass(life, { full: true });
    const good = await spec.commit({ [dagPath("acme", "hello")]: changed });
    await reconcilePass(life);

    const { ledger } = life.plant.store;
    const all = await ledger.events("acme", { subject: "dag/hello", before: null, limit: 50 });
    const turns = all.filter(({ type }) => type === "condition").map(({ facts }) => facts);
    const page = await ledger.events("acme", { subject: "dag/hello", before: all[1]?.n ?? 0, limit: 1 });

    expect(turns.map(({ type, status, reason, revision }) => [type, status, reason, revision])).toEqual([
      ["Stalled", "False", "Applied", good],
      ["Ready", "True", "Applied", good],
      ["Stalled", "True", "Held", bad],
      ["Ready", "False", "Held", bad],
    ]);
    expect(page).toEqual(all.slice(2, 3));
    expect(
      (await ledger.events("beta", { subject: null, before: null, limit: 50 })).map(({ subject }) => subject),
    ).not.toContain("dag/tick");
  });
});

describe("a watermark that a wrong clock moved to 2031", () => {
  it("is pulled back by the next full pass, once, and the schedule fires again", async () => {
    const { life } = await setup();
    await reconcilePass(life);
    await world.db.admin("update watermark set slot = '2031-01-01', next_due = '2031-01-01T00:00:15Z'");
    const now = world.clock.now();

    const healed = await reconcilePass(life, { full: true });
    const [row] = await world.db.admin<{ slot: Date; next_due: Date }>("select slot, next_due from watermark");
    const before = await tableMarks(world.db);
    const again = await reconcilePass(life, { full: true });

    expect(healed.applied).toEqual(["acme"]);
    expect(row?.slot.getTime()).toBeGreaterThanOrEqual(now.getTime());
    expect(row?.slot.getTime()).toBeLessThan(now.getTime() + 60_000);
    expect(row?.next_due.getTime()).toBeLessThan(now.getTime() + 75_000);
    expect([again.applied, await tableMarks(world.db)]).toEqual([[], before]);
  });
});

describe("what cannot be read", () => {
  it("holds one DAG alone, with file, line and column, while a good change of the same commit is applied", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const before = await life.plant.store.ledger.getDag("acme", "hello");

    await spec.commit({
      [dagPath("acme", "hello")]: "apiVersion: orrery/v1\nkind: Dag\nspec:\n  steps: [\n",
      [dagPath("acme", "tick")]: changed,
      [dagPath("beta", "hello")]: changed,
    });
    const pass = await reconcilePass(life);
    const held = await life.plant.store.ledger.getDag("acme", "hello");

    expect(pass.applied).toEqual(["acme", "beta"]);
    expect(held).toMatchObject({ specHash: before?.specHash, armed: true, pruned: false });
    expect(held?.conditions.find(({ type }) => type === "Stalled")).toMatchObject({ status: "True", reason: "Held" });
    expect(held?.conditions[0]?.message).toMatch(/tenants\/acme\/dags\/hello\.yaml:\d+:\d+/u);
    expect(await readyOf(life, "acme", "tick")).toBe("Applied");
    expect((await life.plant.store.ledger.getDag("beta", "hello"))?.specHash).not.toBe(before?.specHash);

    await spec.commit({ [dagPath("acme", "hello")]: changed });
    await reconcilePass(life);
    expect(await readyOf(life, "acme", "hello")).toBe("Applied");
  });

  it.each(["quota.yaml", "allowlist.yaml", "tenant.yaml"])(
    "a broken %s holds its tenant alone and prunes nothing of it",
    async (file) => {
      const { spec, life } = await setup();
      await reconcilePass(life);
      const before = await life.plant.store.ledger.listDags("acme");

      await spec.commit({
        [`tenants/acme/${file}`]: "spec: [",
        [dagPath("acme", "tick")]: null,
        [dagPath("beta", "hello")]: changed,
      });
      const pass = await reconcilePass(life);
      const after = await life.plant.store.ledger.listDags("acme");

      expect(pass.applied).toContain("beta");
      expect(after.map(({ dagId, specHash, armed, pruned }) => [dagId, specHash, armed, pruned])).toEqual(
        before.map(({ dagId, specHash, armed, pruned }) => [dagId, specHash, armed, pruned]),
      );
      const conditions = await world.db.admin(
        "select tenant_id, reason from condition where kind = 'Tenant' and type = 'Stalled' and status = 'True'",
      );
      expect(conditions).toEqual([{ tenant_id: "acme", reason: "TenantHeld" }]);
    },
  );

  it("a spec ref that is gone stalls the site and prunes nothing; it goes on when the ref is back", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const before = await life.plant.store.ledger.listDags("acme");

    const gone = await reconcilePass(life, { specRef: "refs/heads/main" }).then(async () => {
      const head = spec.head;
      spec.remove();
      const stalled = await reconcilePass(life);
      return { head, stalled };
    });
    const during = await life.plant.store.ledger.listDags("acme");
    const stalledRow = await siteConditions();
    spec.move(gone.head);
    const back = await reconcilePass(life);

    expect(gone.stalled.stalled?.reason).toBe("RefMissing");
    expect(gone.stalled.tenants).toEqual(["acme", "beta"]);
    expect(during).toEqual(before);
    expect(stalledRow.find(({ type }) => type === "Stalled")).toMatchObject({ status: "True", reason: "RefMissing" });
    expect(back.stalled).toBeNull();
    expect((await siteConditions()).find(({ type }) => type === "Ready")).toMatchObject({ status: "True" });
  });

  it("a broken site file holds the site and closes admission", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const good = spec.head;

    await spec.commit({ [`sites/${worldSite}.yaml`]: "spec: [", [dagPath("acme", "hello")]: changed });
    const pass = await reconcilePass(life);

    expect(pass).toMatchObject({ revision: good, applied: [], stalled: { reason: "SiteHeld" } });
    expect(life.plant.gate.reasons.map(({ reason }) => reason)).toEqual(["SiteHeld"]);
    await expect(life.run("acme", "hello")).rejects.toThrow(
      "refused: ADMISSION_CLOSED nothing starts at this site now: SiteHeld",
    );
  });

  it("a broken orrery.yaml is not followed: nothing of its commit is applied, what stands runs on", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const good = spec.head;

    await spec.commit({ "orrery.yaml": "spec: [", [dagPath("acme", "hello")]: changed });
    const pass = await reconcilePass(life);

    expect(pass).toMatchObject({ revision: good, applied: [], stalled: { reason: "TrustRule" } });
    expect(pass.stalled?.message).toContain("orrery.yaml:1:");
    expect(life.plant.gate.isOpen).toBe(true);
  });
});

describe("trust", () => {
  it("a forced push stalls as a rewind and nothing of it is applied", async () => {
    const { spec, life } = await setup();
    const first = spec.head;
    await spec.commit({ [dagPath("acme", "hello")]: changed });
    await reconcilePass(life);
    const stands = await life.plant.store.ledger.getDag("acme", "hello");

    await spec.commit({ [dagPath("acme", "hello")]: hello, [dagPath("acme", "tick")]: null }, { parent: first });
    const pass = await reconcilePass(life);

    expect(pass.stalled?.reason).toBe("TrustRewind");
    expect(pass.applied).toEqual([]);
    expect(await life.plant.store.ledger.getDag("acme", "hello")).toEqual(stands);
    expect((await life.plant.store.ledger.getDag("acme", "tick"))?.pruned).toBe(false);
    expect(life.plant.gate.isOpen).toBe(true);
    expect((await siteConditions()).find(({ type }) => type === "Stalled")).toMatchObject({ reason: "TrustRewind" });
  });

  it.each([
    ["unsigned", null],
    ["signed by a key that nobody named", testKey(9)],
    ["signed by the recorder's key", testKey(1)],
  ])("a commit that is %s stops the branch there; what lies before it is applied", async (_, key) => {
    const { spec, life } = await setup();
    await reconcilePass(life);

    const good = await spec.commit({ [dagPath("beta", "hello")]: changed });
    await spec.commit({ [dagPath("acme", "hello")]: changed }, { key });
    await spec.commit({ [dagPath("acme", "hello")]: hello });
    const pass = await reconcilePass(life);

    expect(pass.revision).toBe(good);
    expect(pass.stalled?.reason).toMatch(/^Trust/u);
    expect(pass.applied).toEqual(["beta"]);
  });

  it("a recorder's key that the site's file does not name closes admission until it does", async () => {
    const { spec, life } = await setup();
    const other = testKey(7);

    const unknown = await reconcilePass(life, { recorderKey: other.blob });
    const closed = life.plant.gate.reasons.map(({ reason }) => reason);
    await spec.commit({ [`sites/${worldSite}.yaml`]: siteFile(publicKeyLine(other.blob)) });
    const known = await reconcilePass(life, { recorderKey: other.blob });

    expect(unknown.stalled?.reason).toBe("RecorderKeyUnknown");
    expect(closed).toEqual(["RecorderKeyUnknown"]);
    expect(known.stalled).toBeNull();
    expect(known.applied).toEqual(["acme", "beta"]);
    expect(life.plant.gate.isOpen).toBe(true);
  });

  it("a branch that is gone before the daemon starts does not hide that the site's file names another key", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const other = await world.live();
    spec.remove();

    const pass = await reconcilePass(other, { recorderKey: testKey(7).blob });

    expect(pass.stalled?.reason).toBe("RefMissing");
    expect(other.plant.gate.reasons.map(({ reason }) => reason)).toEqual(["RecorderKeyUnknown"]);
  });

  it("a site without its file plans nothing and closes admission", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);

    await spec.commit({ [`sites/${worldSite}.yaml`]: null, [dagPath("acme", "hello")]: null });
    const pass = await reconcilePass(life);

    expect(pass.stalled?.reason).toBe("SiteUnknown");
    expect(life.plant.gate.reasons.map(({ reason }) => reason)).toEqual(["SiteUnknown"]);
    expect((await life.plant.store.ledger.getDag("acme", "hello"))?.pruned).toBe(false);
  });

  it("the same database under another site's name is refused before anything is read", async () => {
    const { life } = await setup();
    await reconcilePass(life);

    await expect(reconcilePass(life, { site: "other" })).rejects.toMatchObject({ code: "DATA_DIR_SITE" });
    await expect(reconcilePass(life, { specRef: "refs/heads/next" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("a key that is taken out is out for every commit after, however many arrive at once", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const next = testKey(8);

    const rotation = await spec.commit({
      "keys/spec_signers": `ben@acme.example namespaces="git" ${publicKeyLine(next.blob)}\n`,
    });
    await spec.commit({ [dagPath("beta", "hello")]: changed }, { key: specKey });
    const pass = await reconcilePass(life);

    expect(pass.revision).toBe(rotation);
    expect(pass.stalled?.reason).toMatch(/^Trust/u);
  });
});

describe("prune", () => {
  it("ends queued runs as cancelled with a record that names the commit; a name that returns goes on with its runNo", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    const first = await life.run("acme", "hello", "one");
    const second = await life.run("acme", "hello", "two");

    await spec.commit({ [dagPath("acme", "hello")]: null });
    await reconcilePass(life);
    const runs = await life.plant.store.ledger.listRuns("acme", { dagId: "hello", before: null, limit: 10 });
    const bodies = (await world.waiting("acme")).filter(({ kind }) => kind === "run");
    await expect(life.run("acme", "hello", "three")).rejects.toThrow("no DAG hello");

    await spec.commit({ [dagPath("acme", "hello")]: changed });
    await reconcilePass(life);
    const third = await life.run("acme", "hello", "three");

    expect(runs.map(({ runId, state, code }) => [runId, state, code])).toEqual(
      [second, first].map((runId) => [runId, "cancelled", "RUN_CANCELLED"]),
    );
    expect(bodies.map(({ actor }) => actor.kind)).toEqual(["commit", "commit"]);
    expect(JSON.stringify(bodies[0]?.rationale)).toContain("pruned or suspended at commit");
    expect((await life.plant.store.ledger.getRun("acme", third))?.runNo).toBe(3);
  });

  it("a brake that is exceeded keeps every DAG of the tenant, and a second pass writes nothing", async () => {
    const dags = Object.fromEntries(["a", "b", "c", "d"].map((id) => [dagPath("acme", id), hello]));
    const brake = "apiVersion: orrery/v1\nkind: Repository\nspec:\n  brakes: { prunePercent: 20 }\n";
    const { spec, life } = await setup({ ...tenantFiles("acme"), ...dags, "orrery.yaml": brake });
    await reconcilePass(life);

    await spec.commit({ [dagPath("acme", "a")]: null, [dagPath("acme", "b")]: null });
    await reconcilePass(life);
    const marks = await tableMarks(world.db);
    await reconcilePass(life);

    const listed = await life.plant.store.ledger.listDags("acme");
    expect(listed.map(({ pruned }) => pruned)).toEqual([false, false, false, false]);
    expect(await tableMarks(world.db)).toEqual(marks);

    // A revert takes back what waited: the trees are those that stand, and nothing waits any more.
    await spec.commit({ [dagPath("acme", "a")]: hello, [dagPath("acme", "b")]: hello });
    await reconcilePass(life);
    expect((await life.plant.store.ledger.getTenant("acme"))?.conditions).toContainEqual(
      expect.objectContaining({ type: "Stalled", status: "False", reason: "Applied" }),
    );
  });

  it("suspends a tenant: queued runs end with a record, and what was armed is armed again after", async () => {
    const { spec, life } = await setup();
    await reconcilePass(life);
    await life.run("acme", "hello", "one");
    const tenantYaml = (suspend: boolean): FileChanges => ({
      "tenants/acme/tenant.yaml": `apiVersion: orrery/v1\nkind: Tenant\nspec:\n  owners: [ana@acme.example]\n  suspend: ${String(suspend)}\n`,
    });

    await spec.commit(tenantYaml(true));
    await reconcilePass(life);
    const suspended = await readyOf(life, "acme", "hello");
    await expect(life.run("acme", "hello", "two")).rejects.toThrow("refused");
    await spec.commit(tenantYaml(false));
    await reconcilePass(life);

    expect(suspended).toBe("Suspended");
    expect((await world.waiting("acme")).filter(({ kind }) => kind === "run")).toHaveLength(1);
    expect(await readyOf(life, "acme", "hello")).toBe("Applied");
    await expect(life.run("acme", "hello", "two")).resolves.toMatch(/^[0-9a-f-]{36}$/u);
  });
});
