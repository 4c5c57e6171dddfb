import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Quota } from "../../../src/spec/index.ts";
import type { ClaimedRun, RunView } from "../../../src/store/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  admitRuns,
  applyTenant,
  dagWrite,
  manualRequest,
  quotaOf,
  settlementOf,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

const minute = 60_000;
const clock = new FakeClock("2026-11-24T10:40:00.000Z");
let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld(clock);
});
afterAll(() => world[Symbol.asyncDispose]());

const list = (tenant: string): Promise<readonly RunView[]> =>
  world.store.ledger.listRuns(tenant, { dagId: null, before: null, limit: 200 });
const reasonsOf = async (tenant: string): Promise<readonly (string | null)[]> =>
  (await list(tenant)).map(({ wait }) => wait?.reason ?? null).sort();
/** Each a millisecond after the other: of one instant the ids would decide. */
async function admitInOrder(tenant: string, keys: readonly string[]): Promise<readonly string[]> {
  const runIds: string[] = [];
  for (const key of keys) {
    runIds.push(...(await admitRuns(world.store, clock, tenant, [key])));
    await clock.advance(1);
  }
  return runIds;
}
const get = async (tenant: string, runId: string | undefined): Promise<RunView["wait"]> =>
  (await world.store.ledger.getRun(tenant, runId ?? ""))?.wait ?? null;

describe("a queued run says what it waits for", () => {
  it("a place among the runs of its tenant, and then a worker", async () => {
    const seam = await world.worker();
    const tenant = "crowded";
    await applyTenant(world.store, { tenant, quota: quotaOf({ maxConcurrent: 1 }) });
    const [first, second] = await admitInOrder(tenant, ["a", "b"]);

    const before = [await get(tenant, first), await get(tenant, second)];
    const claimed = await seam.claim(1);
    const during = await get(tenant, first);
    await seam.settle(claimed.map((run) => settlementOf(run)));
    const after = [await get(tenant, first), await get(tenant, second)];

    expect(before.map((wait) => wait?.reason)).toEqual(["worker", "tenant_concurrency"]);
    expect(before[1]?.message).toBe("1 run of the tenant at once, runs.maxConcurrent is 1");
    expect(during).toBeNull();
    expect(after.map((wait) => wait?.reason)).toEqual([undefined, "worker"]);
    await seam.settle((await seam.claim(9)).map((run) => settlementOf(run)));
  });

  it("another run of its DAG, while other DAGs of the tenant pass", async () => {
    const seam = await world.worker();
    const tenant = "narrow";
    const dags = [dagWrite({ dagId: "one", max: 1 }), dagWrite({ dagId: "wide" })];
    await applyTenant(world.store, { tenant, dags });
    await world.store.admission.admit([
      ...["a", "b"].map((key) => manualRequest(clock, { tenant, dagId: "one", key })),
      manualRequest(clock, { tenant, dagId: "wide", key: "c" }),
    ]);

    const reasons = await reasonsOf(tenant);

    expect(reasons).toEqual(["dag_concurrency", "worker", "worker"]);
    for (let left = await seam.claim(9); left.length > 0; left = await seam.claim(9))
      await seam.settle(left.map((run) => settlementOf(run)));
  });

  it("the next hour; as it begins nothing stands in its way any more, before anybody turned the queue", async () => {
    const seam = await world.worker();
    const tenant = "rated";
    await applyTenant(world.store, { tenant, quota: quotaOf({ maxConcurrent: 9, startsPerHour: 1 }) });
    const [, second] = await admitInOrder(tenant, ["a", "b"]);

    const early = await get(tenant, second);
    await clock.advance(20 * minute);
    const due = await get(tenant, second);
    await seam.heartbeat();
    const ready = await get(tenant, second);

    expect(early).toEqual({
      reason: "start_rate",
      message:
        "1 run of the tenant started in this UTC hour, runs.startsPerHour is 1: the next hour begins at 2026-11-24T11:00:00Z",
    });
    expect([due?.reason, ready?.reason]).toEqual(["turn", "worker"]);
    await seam.settle((await seam.claim(9)).map((run) => settlementOf(run)));
  });

  it("never by the limits of an override that has ended", async () => {
    const seam = await world.worker();
    const tenant = "turning";
    const until = new Date(clock.now().getTime() + 4 * minute).toISOString();
    const quota: Quota = {
      ...quotaOf({ maxConcurrent: 2, startsPerHour: 9 }),
      overrides: [{ until, rationale: "quiet", limits: { runs: { maxConcurrent: 1, startsPerHour: null } } }],
    };
    await applyTenant(world.store, { tenant, quota, now: clock.now().toISOString() });
    const [, second] = await admitInOrder(tenant, ["a", "b"]);

    const held = await get(tenant, second);
    await clock.advance(5 * minute);
    const free = await get(tenant, second);

    expect([held?.reason, free?.reason]).toEqual(["tenant_concurrency", "turn"]);
    await seam.heartbeat();
    for (let left = await seam.claim(9); left.length > 0; left = await seam.claim(9))
      await seam.settle(left.map((run) => settlementOf(run)));
  });

  it("and nothing of other tenants, however much they run", async () => {
    const seam = await world.worker();
    await applyTenant(world.store, { tenant: "greedy", quota: quotaOf({ maxConcurrent: 50 }) });
    await applyTenant(world.store, { tenant: "shy" });
    await admitRuns(world.store, clock, "greedy", ["a", "b", "c", "d", "e"]);
    const [runId] = await admitRuns(world.store, clock, "shy", ["a"]);

    const wait = await get("shy", runId);

    expect(wait).toEqual({ reason: "worker", message: "ready: it waits for a free worker of this site" });
    expect(await get("greedy", runId)).toBeNull();
    for (let left = await seam.claim(99); left.length > 0; left = await seam.claim(99))
      await seam.settle(left.map((run) => settlementOf(run)));
  });
});

describe("the list of runs", () => {
  it("leaves out what has ended where only the rest is wanted, page by page", async () => {
    const seam = await world.worker();
    const tenant = "listed";
    await applyTenant(world.store, { tenant, quota: quotaOf({ maxConcurrent: 1 }) });
    const [first, second, third] = await admitInOrder(tenant, ["a", "b", "c"]);
    await seam.settle((await seam.claim(1)).map((run) => settlementOf(run)));
    const query = { dagId: null, before: null, limit: 200 };
    const idsOf = (runs: readonly RunView[]) => runs.map(({ runId }) => runId);

    const all = await world.store.ledger.listRuns(tenant, query);
    const rest = await world.store.ledger.listRuns(tenant, { ...query, unfinished: true });
    const page = await world.store.ledger.listRuns(tenant, { ...query, unfinished: true, before: third ?? null });

    expect([idsOf(all), idsOf(rest), idsOf(page)]).toEqual([[third, second, first], [third, second], [second]]);
    for (let left = await seam.claim(9); left.length > 0; left = await seam.claim(9))
      await seam.settle(left.map((run) => settlementOf(run)));
  });
});

describe("the promotion of the store and the reason that is shown", () => {
  it(
    "agree: once the queue has turned, no run waits without a reason",
    async () => {
      let n = 0;
      const seam = await world.worker();
      const limits = fc.record({
        maxConcurrent: fc.integer({ min: 1, max: 4 }),
        startsPerHour: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
      });
      const maxima = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
      const moves = fc.array(
        fc.record({ dag: fc.constantFrom("a", "b"), minutes: fc.constantFrom(0, 0, 30), ends: fc.nat(2) }),
        { minLength: 4, maxLength: 12 },
      );
      await fc.assert(
        fc.asyncProperty(limits, maxima, moves, async (runs, [a, b], sequence) => {
          n += 1;
          const tenant = `law-${String(n)}`;
          const dags = [dagWrite({ dagId: "a", max: a }), dagWrite({ dagId: "b", max: b })];
          await applyTenant(world.store, { tenant, quota: quotaOf(runs), dags });
          const running: ClaimedRun[] = [];
          for (const [i, { dag: dagId, minutes, ends }] of sequence.entries()) {
            await clock.advance(minutes * minute);
            await world.store.admission.admit([manualRequest(clock, { tenant, dagId, key: String(i) })]);
            await seam.heartbeat();

            const shown = await reasonsOf(tenant);
            expect(shown).not.toContain("turn");
            const ready = shown.filter((reason) => reason === "worker").length;
            const claimed = await seam.claim(99);
            expect(claimed).toHaveLength(ready);
            running.push(...claimed);
            await seam.settle(running.splice(0, ends).map((run) => settlementOf(run)));
          }
          await seam.settle(running.splice(0).map((run) => settlementOf(run)));
          for (let left = 1; left > 0; left = (await list(tenant)).filter(({ endedUtc }) => endedUtc === null).length) {
            await clock.advance(60 * minute);
            await seam.heartbeat();
            await seam.settle((await seam.claim(99)).map((run) => settlementOf(run)));
          }
        }),
        { numRuns: rounds(15, 300) },
      );
    },
    soakTimeout(120_000),
  );
});
