import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canonicalText } from "../../../src/base/index.ts";
import type { DrainedBatch, SealedRecord, Store } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  admitRuns,
  applyTenant,
  cancelledBody,
  commitOf,
  dagWrite,
  quotaOf,
  settlementOf,
  sha,
  slotRequest,
  specHashOf,
  tenantChange,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

const clock = new FakeClock("2026-11-24T10:00:00.000Z");
const now = "2026-11-24T10:00:00.000Z";
let world: StoreWorld;
let store: Store;
let batch = 0;

beforeAll(async () => {
  world = await openStoreWorld(clock);
  store = world.store;
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  batch += 1;
});

const drain = (rest: { limit?: number; maxBytes?: number; now?: string } = {}): Promise<DrainedBatch> =>
  store.audit.drain({ batch, limit: 1000, maxBytes: 1e6, now, ...rest });

/** What a recorder makes of a batch, without its cryptography. */
function recordsOf(drained: DrainedBatch): readonly SealedRecord[] {
  const last = new Map(drained.chains.map((chain) => [chain.tenant, chain.lastSeq]));
  const ids = [
    ...drained.bodies.map((body) => [body.tenant, body.recordId] as const),
    ...drained.skips.map((skip) => [skip.tenant, `skip/${skip.dagId}/${skip.schedule}/${skip.from}`] as const),
  ];
  return ids.map(([tenant, recordId]) => {
    const seq = (last.get(tenant) ?? 0) + 1;
    last.set(tenant, seq);
    return { tenant, seq, recordId, timestamp: now, line: canonicalText({ recordId, seq }) };
  });
}

const prepared = (records: readonly SealedRecord[]) => ({
  batch,
  timestamp: now,
  commit: commitOf(`batch ${String(batch)}`),
  parent: batch === 1 ? null : commitOf(`batch ${String(batch - 1)}`),
  objects: [{ type: "blob" as const, body: Buffer.from([0, 1, 255]) }],
  size: 7,
  root: "cm9vdA==",
  frontier: [sha("a")],
  records,
});

async function sealAll(): Promise<readonly SealedRecord[]> {
  const records = recordsOf(await drain());
  await store.audit.prepare(prepared(records));
  await store.audit.seal(batch, records);
  return records;
}

async function settleRun(tenant: string, key: string): Promise<string> {
  const seam = await world.worker();
  const [runId] = await admitRuns(store, clock, tenant, [key]);
  const runs = await seam.claim(10);
  await seam.settle(runs.map((run) => settlementOf(run)));
  return runId ?? "";
}

describe("a batch", () => {
  it("takes bodies, is prepared with its bytes, and is sealed once", async () => {
    await applyTenant(store, { tenant: "sealed" });
    const runId = await settleRun("sealed", "a");
    expect(await store.audit.pending()).toMatchObject({ count: 1 });

    const drained = await drain();
    const records = recordsOf(drained);
    await store.audit.prepare(prepared(records));
    expect(await store.audit.lastBatch()).toEqual({ ...prepared(records), state: "prepared" });
    await store.audit.seal(batch, records);
    await store.audit.seal(batch, records);

    expect(drained.bodies).toEqual([
      {
        tenant: "sealed",
        recordId: `run/${runId}`,
        dagId: "hello",
        runId,
        bodyText: canonicalText({ recordId: `run/${runId}`, status: "succeeded" }),
        count: null,
      },
    ]);
    expect(drained.chains).toEqual([
      { tenant: "_site", lastSeq: 0, lastLine: null, horizon: null },
      { tenant: "sealed", lastSeq: 0, lastLine: null, horizon: null },
    ]);
    expect(await store.audit.pending()).toEqual({ count: 0, oldestUtc: null });
    expect((await store.audit.lastBatch())?.state).toBe("done");
    expect(await store.ledger.recordOf("sealed", `run/${runId}`)).toEqual({ seq: 1, batch, line: records[0]?.line });
    await expect(store.audit.prepare(prepared(records))).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  });

  it("keeps what it marked, whatever comes meanwhile, and follows its chain", async () => {
    await applyTenant(store, { tenant: "again" });
    await settleRun("again", "a");
    const first = await drain();
    await settleRun("again", "b");

    const second = await drain({ limit: 1 });
    expect(second.bodies).toEqual(first.bodies);
    const one = recordsOf(second);
    await store.audit.prepare(prepared(one));
    await store.audit.seal(batch, one);

    batch += 1;
    const next = await drain();
    expect(next.chains.find((chain) => chain.tenant === "again")).toMatchObject({ lastSeq: 1, lastLine: one[0]?.line });
    const two = recordsOf(next);
    await store.audit.prepare(prepared(two));
    await store.audit.seal(batch, two);
    expect(two.map((record) => record.seq)).toEqual([2]);
  });

  it("is bounded in bodies and bytes, oldest first, and takes at least one", async () => {
    await applyTenant(store, { tenant: "bounded", quota: quotaOf({ maxConcurrent: 9 }) });
    const runIds = [await settleRun("bounded", "a"), await settleRun("bounded", "b"), await settleRun("bounded", "c")];

    expect((await drain({ maxBytes: 0 })).bodies.map((body) => body.runId)).toEqual(runIds.slice(0, 1));
    expect((await drain({ limit: 2 })).bodies).toHaveLength(2);
    expect((await drain()).bodies).toHaveLength(3);
    await sealAll();
  });

  it("is sealed in a month that has no partition: what a clock that was wrong has signed must not stop the chain", async () => {
    await applyTenant(store, { tenant: "years" });
    await settleRun("years", "a");
    const records = recordsOf(await drain()).map((record) => ({ ...record, timestamp: "2031-03-31T23:59:59.999Z" }));
    await store.audit.prepare(prepared(records));

    await store.audit.seal(batch, records);

    expect((await store.audit.lastBatch())?.state).toBe("done");
    const recordId = records[0]?.recordId ?? "";
    expect(await store.ledger.recordOf("years", recordId)).toMatchObject({ batch });
  });

  it("never seals with a gap, a body left behind, or before it was prepared", async () => {
    await applyTenant(store, { tenant: "gap" });
    await settleRun("gap", "a");
    const records = recordsOf(await drain());
    const unprepared = { code: "INTERNAL", cause: { code: "OR002" } };

    await expect(store.audit.seal(batch, records)).rejects.toMatchObject(unprepared);
    await store.audit.prepare(prepared(records));
    await expect(
      store.audit.seal(
        batch,
        records.map((record) => ({ ...record, seq: record.seq + 1 })),
      ),
    ).rejects.toMatchObject(unprepared);
    await expect(store.audit.seal(batch, [])).rejects.toMatchObject(unprepared);
    await store.audit.seal(batch, records);

    expect((await store.audit.lastBatch())?.state).toBe("done");
  });
});

describe("skip ranges and horizons", () => {
  const hour = (at: string): string => `2026-11-24T${at}:00.000Z`;
  const schedules = [{ schedule: "default", watermark: hour("08:00"), nextDue: hour("09:00") }];
  const skip = (tenant: string, from: string, to: string) =>
    slotRequest(clock, {
      tenant,
      from: hour(from),
      to: hour(to),
      nextDue: hour("23:00"),
      runs: false,
      skips: [{ reason: "late", from: hour(to), to: hour(to), count: 1 }],
    });

  it("an open range waits until its tenant has a record, or its UTC day is over", async () => {
    await applyTenant(store, { tenant: "busy", dags: [dagWrite({ dagId: "hello", schedules })] });
    await applyTenant(store, { tenant: "quiet", dags: [dagWrite({ dagId: "hello", schedules })] });
    await store.admission.admit([skip("busy", "08:00", "09:00"), skip("quiet", "08:00", "09:00")]);
    expect((await store.audit.pending()).count).toBe(0);
    await settleRun("busy", "a");

    const records = await sealAll();
    expect(records.map((record) => `${record.recordId.split("/")[0] ?? ""} ${record.tenant}`).sort()).toEqual([
      "run busy",
      "skip busy",
    ]);

    batch += 1;
    const nextDay = await drain({ now: "2026-11-25T00:00:00.000Z" });
    expect(nextDay.skips).toEqual([
      {
        tenant: "quiet",
        dagId: "hello",
        schedule: "default",
        reason: "late",
        from: hour("09:00"),
        to: hour("09:00"),
        count: 1,
      },
    ]);
    await sealAll();
  });

  it("the horizon is the least of next slots, slots of unfinished runs and slots that wait for a later batch", async () => {
    await applyTenant(store, {
      tenant: "horizon",
      quota: quotaOf({ maxConcurrent: 9 }),
      dags: [dagWrite({ dagId: "hello", schedules })],
    });
    const slot = (from: string, to: string) =>
      slotRequest(clock, { tenant: "horizon", from: hour(from), to: hour(to), nextDue: hour("23:00") });
    const horizon = async (): Promise<string | null> =>
      (await drain({ limit: 1 })).chains.find((chain) => chain.tenant === "horizon")?.horizon ?? null;
    const seam = await world.worker();
    await store.admission.admit([slot("08:00", "09:00"), slot("09:00", "10:00")]);
    const runs = await seam.claim(2);

    await seam.settle(runs.slice(1).map((run) => settlementOf(run)));
    const whileOneRuns = await horizon();
    await seam.settle(runs.slice(0, 1).map((run) => settlementOf(run)));
    const whileOneWaits = await horizon();
    await sealAll();
    batch += 1;
    await settleRun("horizon", "x");
    const atRest = await horizon();
    await sealAll();

    expect([whileOneRuns, whileOneWaits, atRest]).toEqual([hour("09:00"), hour("09:00"), hour("23:00")]);
  });
});

describe("the site", () => {
  const site = (name: string) => ({
    site: name,
    specRef: "refs/heads/main",
    signersSha256: sha("signers"),
    trustedBy: "first_use" as const,
    record: { recordId: `genesis/${name}`, dagId: null, runId: null, kind: "genesis" as const, bodyText: "{}" },
    now,
  });

  it("is made once, with its genesis body; another name is refused", async () => {
    await store.revision.createSite(site("hq"));
    await store.revision.createSite(site("hq"));
    await expect(store.revision.createSite(site("lab"))).rejects.toMatchObject({ code: "DATA_DIR_SITE" });

    expect((await sealAll()).map((record) => [record.tenant, record.recordId])).toEqual([["_site", "genesis/hq"]]);
    expect(await store.revision.observeSite()).toMatchObject({
      site: "hq",
      verifiedRevision: null,
      signersSha256: sha("signers"),
      trustedBy: "first_use",
    });
  });

  it("moves its verified revision only from where it stood", async () => {
    const change = (from: string | null, to: string) => ({
      from,
      to,
      tenants: ["zeta", "acme"],
      record: { recordId: `reconcile/${to}/0`, dagId: null, runId: null, kind: "reconcile" as const, bodyText: "{}" },
      conditions: [
        {
          kind: "Site" as const,
          name: "hq",
          type: "Ready" as const,
          status: "True" as const,
          reason: "Applied",
          message: "",
          observedRevision: to,
        },
      ],
      now,
    });
    await store.revision.applySite(change(null, commitOf(1)));

    await expect(store.revision.applySite(change(null, commitOf(2)))).rejects.toMatchObject({ code: "STORE_CONFLICT" });

    const observed = await store.revision.observeSite();
    expect(observed?.verifiedRevision).toBe(commitOf(1));
    expect(observed?.tenants).toEqual(expect.arrayContaining(["acme", "zeta"]));
    expect((await sealAll()).map((record) => record.recordId)).toEqual([`reconcile/${commitOf(1)}/0`]);
  });

  it("writes its conditions only when they differ", async () => {
    const conditions = [
      {
        kind: "Site" as const,
        name: "hq",
        type: "Stalled" as const,
        status: "True" as const,
        reason: "RefMissing",
        message: "gone",
        observedRevision: null,
      },
    ];
    await store.revision.reportSite(conditions, now);
    const versions = () => world.db.admin("select ctid::text, xmin::text, xmax::text from condition order by 1");
    const before = await versions();

    await store.revision.reportSite(conditions, now);

    expect(before).not.toEqual([]);
    expect(await versions()).toEqual(before);
  });
});

describe("a tenant's revision", () => {
  it("is observed as it was applied, blobs and snapshot included", async () => {
    const bytes = Buffer.from("plugin");
    const base = tenantChange({ tenant: "applied", dags: [dagWrite({ dagId: "b" }), dagWrite({ dagId: "a" })] });
    const change = {
      ...base,
      blobs: [{ sha256: sha("plugin"), bytes }],
      conditions: [
        {
          from: null,
          to: {
            kind: "Dag" as const,
            name: "a",
            type: "Ready" as const,
            status: "True" as const,
            reason: "Applied",
            message: "",
            observedRevision: base.to,
          },
        },
      ],
      record: {
        recordId: `reconcile/${base.to}/1`,
        dagId: null,
        runId: null,
        kind: "reconcile" as const,
        bodyText: "{}",
      },
      events: [{ type: "applied", subject: "a", body: "{}" }],
    };
    expect(await store.revision.missingBlobs("applied", [sha("plugin"), sha("other")])).toEqual([
      sha("plugin"),
      sha("other"),
    ]);

    await store.revision.applyTenant(change, cancelledBody);

    const observed = await store.revision.observeTenant("applied");
    expect(observed).toMatchObject({
      appliedRevision: base.to,
      fingerprint: base.fingerprint,
      suspended: false,
      snapshot: base.snapshot,
      conditions: change.conditions.map(({ to }) => to),
    });
    expect(observed.dags.map((dag) => [dag.dagId, dag.armed, dag.pruned])).toEqual([
      ["a", true, false],
      ["b", true, false],
    ]);
    expect(await store.revision.readBlob("applied", sha("plugin"))).toEqual(bytes);
    expect(await store.revision.readBlob("sealed", sha("plugin"))).toBeNull();
    expect(await store.revision.missingBlobs("applied", [sha("plugin"), sha("other")])).toEqual([sha("other")]);
    expect((await store.revision.observeSite())?.tenants).toContain("applied");
    expect(
      (await store.ledger.listDags("applied")).map((dag) => [dag.dagId, dag.commit, dag.conditions.length]),
    ).toEqual([
      ["a", base.to, 1],
      ["b", base.to, 0],
    ]);
    await sealAll();
  });

  it("is written whole or not at all", async () => {
    await applyTenant(store, { tenant: "whole", dags: [dagWrite({ dagId: "a" })] });
    const before = await store.revision.observeTenant("whole");

    const moved = applyTenant(store, {
      tenant: "whole",
      from: commitOf(1),
      to: commitOf(2),
      dags: [dagWrite({ dagId: "new" }), dagWrite({ dagId: "a", version: 3, from: sha("what another writer left") })],
    });

    await expect(moved).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    await expect(applyTenant(store, { tenant: "whole", from: null })).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(await store.revision.observeTenant("whole")).toEqual(before);
  });

  it("conflicts where a watermark moved since the plan read it", async () => {
    const schedules = (watermark: string) => [{ schedule: "s", watermark, nextDue: "2026-11-24T12:00:00.000Z" }];
    const seen = "2026-11-24T08:00:00.000Z";
    await applyTenant(store, { tenant: "moving", dags: [dagWrite({ dagId: "a", schedules: schedules(seen) })] });
    const update = (watermark: string) =>
      applyTenant(store, {
        tenant: "moving",
        from: commitOf(1),
        to: commitOf(2),
        dags: [dagWrite({ dagId: "a", version: 2, from: specHashOf("a"), schedules: schedules(watermark) })],
      });

    await expect(update("2026-11-24T07:00:00.000Z")).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    await update(seen);

    expect((await store.revision.observeTenant("moving")).dags[0]?.schedules[0]?.watermark).toBe(seen);
  });
});
