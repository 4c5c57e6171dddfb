import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decideAdmission, decidePromotion } from "../../../src/policy/index.ts";
import { effectiveQuotaAt, type Quota } from "../../../src/spec/index.ts";
import type { ClaimedRun, Store } from "../../../src/store/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  applyTenant,
  dagWrite,
  manualRequest,
  outcomeOf,
  quotaOf,
  settlementOf,
  slotRequest,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

const start = "2026-11-24T10:40:00.000Z";
let world: StoreWorld;
let clock: FakeClock;
let store: Store;

beforeAll(async () => {
  clock = new FakeClock(start);
  world = await openStoreWorld(clock);
  store = world.store;
});
afterAll(() => world[Symbol.asyncDispose]());

const minute = 60_000;
const admit = async (tenant: string, ...keys: readonly string[]): Promise<readonly string[]> => {
  const answers = await store.admission.admit(keys.map((key) => manualRequest(clock, { tenant, key })));
  return answers.map((answer) => ("code" in answer ? answer.code : answer.kind));
};
const mine = (tenant: string, runs: readonly ClaimedRun[]): readonly string[] =>
  runs.filter((run) => run.tenant === tenant).map(({ trigger }) => trigger.key);
const rated = (startsPerHour: number): Quota => quotaOf({ maxConcurrent: 50, startsPerHour });

describe("starts per hour", () => {
  it("are counted when a run becomes ready: the others wait, and start by themselves as the next UTC hour begins", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "rate", quota: rated(2) });
    await admit("rate", "a", "b", "c");
    const first = await seam.claim(9);
    await seam.settle(first.map((run) => settlementOf(run)));
    await seam.heartbeat();
    const starved = await seam.claim(9);

    await clock.advance(20 * minute);
    await seam.heartbeat();
    const next = await seam.claim(9);

    expect(mine("rate", first)).toHaveLength(2);
    expect(mine("rate", starved)).toEqual([]);
    expect(mine("rate", next)).toHaveLength(1);
    await seam.settle(next.map((run) => settlementOf(run)));
  });

  it("the last start of the hour goes to one of two admissions and of two workers that race for it", async () => {
    const [one, two] = [await world.worker(), await world.worker()];
    await applyTenant(store, { tenant: "race", quota: rated(3) });
    await admit("race", "a", "b");
    const before = await one.claim(9);

    // Each settle promotes, and so does each admission: all of them at once, for one start that is left.
    const raced = await Promise.all([
      one.settle(before.map((run) => settlementOf(run))),
      ...["c", "d", "e", "f"].map((key) => admit("race", key)),
      one.heartbeat(),
      two.heartbeat(),
    ]);
    const claimed = (await Promise.all([one.claim(9), two.claim(9)])).flat();

    expect(raced[0]).toEqual(["stored", "stored"]);
    expect(mine("race", claimed)).toHaveLength(1);
    const [row] = await world.db.admin<{ starts: number }>("select starts from tenant where tenant_id = 'race'");
    expect(row?.starts).toBe(3);
    await one.settle(claimed.map((run) => settlementOf(run)));
    await two.settle(claimed.map((run) => settlementOf(run)));
  });

  it("a rescued run has started before: it takes no second start", async () => {
    const dead = await world.worker();
    await applyTenant(store, { tenant: "again", quota: rated(1) });
    await admit("again", "a");
    await dead.claim(9);
    await store.queue.retireWorker(dead.workerId);
    const seam = await world.worker();

    const claimed = await seam.claim(9);

    expect(mine("again", claimed)).toEqual(["a"]);
    await seam.settle(claimed.map((run) => settlementOf(run)));
  });
});

describe("the budget of a day", () => {
  const budget = (perDay: Partial<Quota["perDay"]>): Quota => ({
    ...quotaOf({ maxConcurrent: 9 }),
    perDay: { cpuTimeMs: null, artifactBytes: null, ...perDay },
  });

  it("refuses a start and skips a slot once it is used up, and is whole again at midnight UTC", async () => {
    const seam = await world.worker();
    const hourly = { schedule: "default", watermark: "2026-11-24T10:00:00.000Z", nextDue: "2026-11-24T11:00:00.000Z" };
    const dags = [dagWrite({ dagId: "hello", schedules: [hourly] })];
    await applyTenant(store, { tenant: "cpu", quota: budget({ cpuTimeMs: 1000 }), dags });
    await admit("cpu", "a");
    const [run] = (await seam.claim(9)).filter(({ tenant }) => tenant === "cpu");
    if (run === undefined) throw new Error("nothing claimed");
    const at = clock.now().toISOString();
    const outcome = outcomeOf(run, "hello", { endedUtc: at, cpuMs: 999.2 });

    const early = await admit("cpu", "b");
    await seam.report([outcome]);
    // Told twice, counted once.
    const twice = await seam.report([outcome]);
    const late = await admit("cpu", "c");
    const [slot] = await store.admission.admit([
      slotRequest(clock, {
        tenant: "cpu",
        from: hourly.watermark,
        to: hourly.nextDue,
        nextDue: "2026-11-24T12:00:00.000Z",
      }),
    ]);
    const [used] = await world.db.admin(
      "select name, value::int from counter where tenant_id = 'cpu' and name like 'day/%'",
    );
    await clock.advance(14 * 60 * minute);
    const tomorrow = await admit("cpu", "d");

    expect([early, twice, late, tomorrow]).toEqual([["admitted"], ["duplicate"], ["CPU_BUDGET_SPENT"], ["admitted"]]);
    expect(slot).toEqual({ kind: "skipped", reason: "quota" });
    expect(used).toEqual({ name: `day/cpu/${at.slice(0, 10)}`, value: 1000 });
    await seam.settle([settlementOf(run)]);
  });

  it("counts the bytes of artifacts, also of attempts that failed", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "bytes", quota: budget({ artifactBytes: 100 }) });
    await admit("bytes", "a");
    const [run] = (await seam.claim(99)).filter(({ tenant }) => tenant === "bytes");
    if (run === undefined) throw new Error("nothing claimed");
    const wrote = (stepId: string, bytes: number) =>
      outcomeOf(run, stepId, {
        ...{ status: "failed", class: "permanent", code: "STEP_FAILED", outputsHash: null, outputText: null },
        ...{
          endedUtc: clock.now().toISOString(),
          artifacts: [{ artifact: "a".repeat(64), bytes, mediaType: "text/plain" }],
        },
      });

    await seam.report([wrote("a", 60)]);
    const below = await admit("bytes", "b");
    await seam.report([wrote("b", 40)]);

    expect([below, await admit("bytes", "c")]).toEqual([["admitted"], ["ARTIFACT_BUDGET_SPENT"]]);
    expect(await seam.report([{ ...wrote("c", 1), cpuMs: Number.NaN }])).toEqual(["unfit"]);
    await seam.settle([settlementOf(run)]);
  });
});

describe("an override", () => {
  it("ends by itself, with no commit between: the row takes over what follows", async () => {
    const seam = await world.worker();
    const until = new Date(clock.now().getTime() + 10 * minute).toISOString();
    const later = new Date(clock.now().getTime() + 20 * minute).toISOString();
    const quota: Quota = {
      ...quotaOf({ maxConcurrent: 1, maxQueued: 9 }),
      overrides: [
        { until: later, rationale: "month end", limits: { runs: { maxConcurrent: 3 } } },
        { until, rationale: "an incident", limits: { weight: 7, runs: { maxConcurrent: 2 } } },
      ],
    };
    await applyTenant(store, { tenant: "turns", quota, now: clock.now().toISOString() });
    await admit("turns", "a", "b", "c", "d");
    const row = async () =>
      (await world.db.admin("select weight, max_runs, admitted from tenant where tenant_id = 'turns'"))[0];

    const first = await row();
    await clock.advance(10 * minute);
    await seam.heartbeat();
    const second = await row();
    await clock.advance(10 * minute);
    await store.queue.sweep();
    const third = await row();

    // The later entry wins while both hold; what runs when one ends goes on.
    expect([first, second, third]).toEqual([
      { weight: 7, max_runs: 2, admitted: 2 },
      { weight: 1, max_runs: 3, admitted: 3 },
      { weight: 1, max_runs: 1, admitted: 3 },
    ]);
    for (let left = await seam.claim(99); left.length > 0; left = await seam.claim(99))
      await seam.settle(left.map((run) => settlementOf(run)));
  });
});

describe("the store and the pure decision", () => {
  it(
    "agree on every start under any quota, at any time",
    async () => {
      let n = 0;
      const optional = (most: number) => fc.option(fc.integer({ min: 1, max: most }), { nil: null });
      const limits = fc.record({
        maxConcurrent: fc.integer({ min: 1, max: 4 }),
        maxQueued: fc.integer({ min: 1, max: 4 }),
        startsPerHour: optional(4),
        cpuTimeMs: optional(30),
      });
      const moves = fc.array(
        fc.record({ minutes: fc.constantFrom(0, 0, 1, 25, 60), settles: fc.boolean(), cpuMs: fc.nat(20) }),
        { minLength: 3, maxLength: 12 },
      );
      const seam = await world.worker();
      await fc.assert(
        fc.asyncProperty(limits, limits, fc.integer({ min: 1, max: 90 }), moves, async (base, over, ends, sequence) => {
          n += 1;
          const tenant = `oracle-${String(n)}`;
          const until = new Date(clock.now().getTime() + ends * minute).toISOString();
          const { cpuTimeMs, ...runs } = over;
          const quota: Quota = {
            ...quotaOf(base),
            runs: { maxConcurrent: base.maxConcurrent, maxQueued: base.maxQueued, startsPerHour: base.startsPerHour },
            perDay: { cpuTimeMs: base.cpuTimeMs, artifactBytes: null },
            overrides: [{ until, rationale: "test", limits: { runs, perDay: { cpuTimeMs } } }],
          };
          await applyTenant(store, { tenant, quota, now: clock.now().toISOString() });
          const model = { waiting: 0, ready: 0, running: [] as ClaimedRun[], hour: "", starts: 0, day: "", cpuMs: 0 };
          const promote = (): void => {
            const now = clock.now().toISOString();
            if (model.hour !== now.slice(0, 13)) Object.assign(model, { hour: now.slice(0, 13), starts: 0 });
            for (; model.waiting > 0; model.waiting -= 1, model.ready += 1, model.starts += 1) {
              const admitted = model.ready + model.running.length;
              const usage = { admitted, admittedOfDag: admitted, startsThisHour: model.starts, suspended: false };
              const demand = { concurrency: { max: 1000, overlap: "queue" as const } };
              if (decidePromotion(effectiveQuotaAt(quota, clock.now()), usage, demand) !== null) return;
            }
          };
          for (const [i, move] of sequence.entries()) {
            await clock.advance(move.minutes * minute);
            const now = clock.now().toISOString();
            if (model.day !== now.slice(0, 10)) Object.assign(model, { day: now.slice(0, 10), cpuMs: 0 });
            await seam.heartbeat();
            promote();
            const queued = model.waiting + model.ready;
            const want = decideAdmission(
              effectiveQuotaAt(quota, clock.now()),
              {
                ...{
                  existing: null,
                  closed: false,
                  suspended: false,
                  armed: true,
                  queued,
                  waitingOfDag: model.waiting,
                },
                ...{ unfinishedOfDag: 0, today: { cpuTimeMs: model.cpuMs, artifactBytes: 0 } },
              },
              { slot: false, inputsHash: "", concurrency: { max: 1000, overlap: "queue" } },
            );
            const [answer] = await admit(tenant, `k${String(i)}`);
            expect(answer).toBe(want.kind === "refused" ? want.code : want.kind);
            if (want.kind === "admitted") model.waiting += 1;
            promote();

            const claimed = await seam.claim(99);
            expect(claimed).toHaveLength(model.ready);
            model.running.push(...claimed);
            model.ready = 0;
            const [done] = move.settles ? model.running.splice(0, 1) : [];
            if (done === undefined) continue;
            await seam.report([outcomeOf(done, "hello", { endedUtc: now, cpuMs: move.cpuMs })]);
            await seam.settle([settlementOf(done)]);
            model.cpuMs += move.cpuMs;
            promote();
          }
          while (model.running.length + model.waiting + model.ready > 0) {
            await clock.advance(60 * minute);
            await seam.heartbeat();
            promote();
            model.running.push(...(await seam.claim(99)));
            model.ready = 0;
            await seam.settle(model.running.map((run) => settlementOf(run)));
            model.running.splice(0);
            promote();
          }
        }),
        { numRuns: rounds(12, 400) },
      );
    },
    soakTimeout(120_000),
  );
});
