import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Store } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  admitRuns,
  cancelledBody,
  commitOf,
  quotaOf,
  settlementOf,
  sha,
  snapshotOf,
  tenantChange,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";
import { tableMarks } from "../../support/table-marks.ts";

const clock = new FakeClock("2026-11-24T10:00:00.000Z");
const future = new Date("2026-12-24T10:00:00.000Z");
const past = new Date("2026-10-24T10:00:00.000Z");
const bounds = { runsSince: future, batchesBefore: past, batchesKept: 2, eventsKept: 3 };
let world: StoreWorld;
let store: Store;

beforeAll(async () => {
  world = await openStoreWorld(clock);
  store = world.store;
  const record = { recordId: "genesis/hq", kind: "genesis" as const, dagId: null, runId: null, bodyText: "{}" };
  await store.revision.createSite({
    ...{ site: "hq", specRef: "refs/heads/main", signersSha256: sha("signers"), trustedBy: "first_use", record },
    now: clock.now().toISOString(),
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Applies revision `n` of a tenant whose one file has these contents. */
async function applyFile(
  tenant: string,
  n: number,
  text: string,
  blobs = [{ sha256: sha(text), bytes: Buffer.from(text) }],
) {
  const to = commitOf(n);
  const files = [{ path: "a.json", sha256: sha(text), bytes: text.length }];
  await store.revision.applyTenant(
    {
      ...tenantChange({ tenant, from: n === 1 ? null : commitOf(n - 1), to, ...(n === 1 ? {} : { dags: [] }) }),
      snapshot: { ...snapshotOf(to, quotaOf()), files },
      blobs,
    },
    cancelledBody,
  );
}

const holds = async (tenant: string, text: string): Promise<boolean> =>
  (await store.revision.readBlob(tenant, sha(text))) !== null;

describe("the nightly sweep", () => {
  it("keeps blobs that the applied state or an unfinished run names, and takes the others", async () => {
    const seam = await world.worker();
    await applyFile("blobs", 1, "first");
    await admitRuns(store, clock, "blobs", ["a"]);
    await applyFile("blobs", 2, "second");
    await applyFile("blobs", 3, "third");
    await applyFile("other", 1, "second");

    const early = await store.queue.sweepHistory(bounds);
    const held = await Promise.all(["first", "second", "third"].map((text) => holds("blobs", text)));
    const [run] = await seam.claim(1);
    if (run === undefined) throw new Error("nothing claimed");
    await seam.settle([settlementOf(run)]);
    const young = await store.queue.sweepHistory({ ...bounds, runsSince: past });
    const late = await store.queue.sweepHistory(bounds);

    expect(held).toEqual([true, false, true]);
    // A snapshot and the file that it alone names, each time; a finished run keeps its own as long as it is young.
    expect([early.blobs, young.blobs, late.blobs]).toEqual([2, 0, 2]);
    expect([await holds("blobs", "first"), await holds("blobs", "third"), await holds("other", "second")]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("an apply whose plan saw a blob that was swept meanwhile writes nothing and looks again", async () => {
    await applyFile("race", 1, "old");
    await applyFile("race", 2, "new");
    const seen = await store.revision.missingBlobs("race", [sha("old")]);
    await store.queue.sweepHistory(bounds);

    const stale = applyFile("race", 3, "old", []);

    expect(seen).toEqual([]);
    await expect(stale).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect((await store.revision.observeTenant("race")).appliedRevision).toBe(commitOf(2));
    await applyFile("race", 3, "old");
    expect(await holds("race", "old")).toBe(true);
  });

  it("never takes a blob from under an apply that holds the tenant, however often both try", async () => {
    await applyFile("busy", 1, "even");
    const sweeping = new AbortController();
    const sweeps = (async () => {
      while (!sweeping.signal.aborted) await store.queue.sweepHistory(bounds);
    })();

    for (let n = 2; n <= 30; n++) {
      const text = n % 2 === 0 ? "odd" : "even";
      const missing = await store.revision.missingBlobs("busy", [sha(text)]);
      const blobs = missing.map((sha256) => ({ sha256, bytes: Buffer.from(text) }));
      await applyFile("busy", n, text, blobs).catch(() => applyFile("busy", n, text));
      expect([n, await holds("busy", text)]).toEqual([n, true]);
    }

    sweeping.abort();
    await sweeps;
  });

  it("takes batches that are done and old, but for the last ones, and one that is only prepared never", async () => {
    for (let batch = 1; batch <= 6; batch++) {
      const timestamp = batch < 6 ? "2026-01-01T00:00:00.000Z" : clock.now().toISOString();
      await store.audit.prepare({
        ...{ batch, timestamp, commit: commitOf(batch), parent: null, objects: [], size: 0, root: "", frontier: [] },
        records: [],
      });
    }
    await world.db.admin("update batch set state = 'done' where batch <> 2");

    const swept = await store.queue.sweepHistory(bounds);

    expect(swept.batches).toBe(3);
    expect(
      (await world.db.admin<{ batch: number }>("select batch::int from batch order by 1")).map(({ batch }) => batch),
    ).toEqual([2, 5, 6]);
    expect((await store.audit.lastBatch())?.batch).toBe(6);
  });

  it("takes the oldest events of each tenant, and a second night writes nothing", async () => {
    for (const n of [1, 2, 3, 4, 5]) {
      const events = [{ type: "test", subject: `dag/${String(n)}`, body: "{}" }];
      const from = n === 1 ? null : commitOf(n - 1);
      await store.revision.applyTenant(
        { ...tenantChange({ tenant: "events", from, to: commitOf(n), ...(n === 1 ? {} : { dags: [] }) }), events },
        cancelledBody,
      );
    }

    const swept = await store.queue.sweepHistory(bounds);
    const marks = await tableMarks(world.db);
    const again = await store.queue.sweepHistory(bounds);

    const kept = await store.ledger.events("events", { subject: null, before: null, limit: 10 });
    expect([swept.events, kept.map(({ n }) => n)]).toEqual([2, [5, 4, 3]]);
    expect(again).toEqual({ blobs: 0, batches: 0, events: 0 });
    expect(await tableMarks(world.db)).toEqual(marks);
  });
});
