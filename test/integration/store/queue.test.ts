import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClaimedRun, Store } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  admitRuns,
  applyTenant,
  cancelledBody,
  commitOf,
  dagWrite,
  manualRequest,
  outcomeOf,
  quotaOf,
  settlementOf,
  specHashOf,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

const clock = new FakeClock("2026-11-24T10:00:00.000Z");
let world: StoreWorld;
let store: Store;

beforeAll(async () => {
  world = await openStoreWorld(clock);
  store = world.store;
});
afterAll(async () => {
  // No test of this file may leave a counter that disagrees with the rows.
  expect(await drift()).toEqual([]);
  await world[Symbol.asyncDispose]();
});

const drift = () =>
  world.db.admin(
    `select tenant_id from tenant t where admitted <> (select count(*) from run_live l where l.tenant_id = t.tenant_id and l.tag is not null)`,
  );
const keys = (n: number): string[] => [...Array(n).keys()].map((k) => String(k).padStart(4, "0"));
const tenantsOf = (runs: readonly ClaimedRun[]): string[] => runs.map((run) => run.tenant);

describe("the queue", () => {
  it("shares capacity by weight, in FIFO order within a tenant", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "light", quota: quotaOf({ maxConcurrent: 500, maxQueued: 500 }, 1) });
    await applyTenant(store, { tenant: "heavy", quota: quotaOf({ maxConcurrent: 500, maxQueued: 500 }, 3) });
    const order = {
      light: await admitRuns(store, clock, "light", keys(80)),
      heavy: await admitRuns(store, clock, "heavy", keys(80)),
    };

    const claimed: ClaimedRun[] = [];
    while (claimed.length < 80) {
      const runs = await seam.claim(8);
      claimed.push(...runs);
      await seam.settle(runs.map((run) => settlementOf(run)));
    }

    const shares = { light: tenantsOf(claimed).filter((tenant) => tenant === "light").length };
    expect(shares.light).toBeGreaterThanOrEqual(19);
    expect(shares.light).toBeLessThanOrEqual(21);
    for (const tenant of ["light", "heavy"] as const) {
      const mine = claimed.filter((run) => run.tenant === tenant).map((run) => run.runId);
      expect(mine).toEqual([...order[tenant]].sort().slice(0, mine.length));
    }
    for (let runs = await seam.claim(500); runs.length > 0; runs = await seam.claim(500))
      await seam.settle(runs.map((run) => settlementOf(run)));
  });

  it("orders by slot before id", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "slots", quota: quotaOf({ maxConcurrent: 10 }) });
    const instants = ["2026-11-24T09:03:00.000Z", "2026-11-24T09:01:00.000Z", "2026-11-24T09:02:00.000Z"];
    await store.admission.admit(
      instants.map((instant, n) => manualRequest(clock, { tenant: "slots", key: String(n), instant })),
    );

    const runs = await seam.claim(3);

    expect(runs.map((run) => run.trigger.key)).toEqual(["1", "2", "0"]);
    await seam.settle(runs.map((run) => settlementOf(run)));
  });

  it("never passes a tenant's quota, and uses it again at once", async () => {
    const [one, two] = [await world.worker(), await world.worker()];
    await applyTenant(store, { tenant: "quota", quota: quotaOf({ maxConcurrent: 3 }) });
    await admitRuns(store, clock, "quota", keys(7));

    const first = (await Promise.all([one.claim(10), two.claim(10)])).flat();
    const mine = first.length;
    const none = await one.claim(10);
    const holder = [one, two];
    for (const [n, seam] of holder.entries())
      await seam.settle(first.filter((_, at) => at % 2 === n).map((run) => settlementOf(run)));

    expect([mine, none.length]).toEqual([3, 0]);
    const left = first.length;
    expect(left).toBe(3);
    for (const seam of holder) await seam.settle(first.map((run) => settlementOf(run)));
    const next = await one.claim(10);
    expect(next).toHaveLength(3);
    await one.settle(next.map((run) => settlementOf(run)));
    const last = await one.claim(10);
    await one.settle(last.map((run) => settlementOf(run)));
    expect(last).toHaveLength(1);
  });

  it("holds a DAG to its concurrency and lets others of the tenant pass", async () => {
    const seam = await world.worker();
    await applyTenant(store, {
      tenant: "percap",
      dags: [dagWrite({ dagId: "narrow", max: 1 }), dagWrite({ dagId: "wide" })],
    });
    await store.admission.admit(
      ["a", "b", "c"].map((key) => manualRequest(clock, { tenant: "percap", dagId: "narrow", key })),
    );
    await store.admission.admit([manualRequest(clock, { tenant: "percap", dagId: "wide", key: "d" })]);

    const first = await seam.claim(10);
    await seam.settle(first.map((run) => settlementOf(run)));
    const second = await seam.claim(10);
    await seam.settle(second.map((run) => settlementOf(run)));
    const third = await seam.claim(10);
    await seam.settle(third.map((run) => settlementOf(run)));

    expect([first, second, third].map((runs) => runs.map((run) => run.dagId).sort())).toEqual([
      ["narrow", "wide"],
      ["narrow"],
      ["narrow"],
    ]);
  });

  it("serves a tenant that comes late before the backlog of one that floods", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "flood", quota: quotaOf({ maxConcurrent: 400, maxQueued: 400 }) });
    await applyTenant(store, { tenant: "guest" });
    await admitRuns(store, clock, "flood", keys(300));
    await seam.claim(1).then((runs) => seam.settle(runs.map((run) => settlementOf(run))));

    await admitRuns(store, clock, "guest", ["a"]);
    const next = await seam.claim(3);

    expect(tenantsOf(next)).toContain("guest");
    await seam.settle(next.map((run) => settlementOf(run)));
    const rest = await seam.claim(400);
    await seam.settle(rest.map((run) => settlementOf(run)));
  });

  it("hands no run to two of four claimers", async () => {
    const seams = await Promise.all([1, 2, 3, 4].map(() => world.worker()));
    await applyTenant(store, { tenant: "four", quota: quotaOf({ maxConcurrent: 400, maxQueued: 400 }) });
    const admitted = await admitRuns(store, clock, "four", keys(200));

    const claimed = await Promise.all(
      seams.map(async (seam) => {
        const mine: ClaimedRun[] = [];
        for (let runs = await seam.claim(7); runs.length > 0; runs = await seam.claim(7)) mine.push(...runs);
        await seam.settle(mine.map((run) => settlementOf(run)));
        return mine;
      }),
    );

    expect(
      claimed
        .flat()
        .map((run) => run.runId)
        .sort(),
    ).toEqual([...admitted].sort());
  });

  it("raises and lowers a quota without losing count", async () => {
    const seam = await world.worker();
    await applyTenant(store, {
      tenant: "resize",
      quota: quotaOf({ maxConcurrent: 2 }),
      dags: [dagWrite({ dagId: "hello" })],
    });
    await admitRuns(store, clock, "resize", keys(8));
    const change = (n: number, maxConcurrent: number) =>
      applyTenant(store, {
        tenant: "resize",
        from: commitOf(n),
        to: commitOf(n + 1),
        quota: quotaOf({ maxConcurrent }),
        dags: [],
      });

    await change(1, 5);
    const raised = await seam.claim(10);
    await change(2, 1);
    await seam.settle(raised.slice(0, 3).map((run) => settlementOf(run)));
    const drained = await seam.claim(10);
    await seam.settle(raised.slice(3).map((run) => settlementOf(run)));
    const one = await seam.claim(10);

    expect([raised.length, drained.length, one.length]).toEqual([5, 0, 1]);
    await change(3, 10);
    const rest = await seam.claim(10);
    await seam.settle([...one, ...rest].map((run) => settlementOf(run)));
    expect(rest).toHaveLength(2);
  });

  it("cancels the queued runs of a pruned DAG and of a suspended tenant, and lets running ones end", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "pruned", quota: quotaOf({ maxConcurrent: 1 }) });
    const [running, ready] = await admitRuns(store, clock, "pruned", ["a", "b"]);
    const [run] = await seam.claim(1);

    await applyTenant(store, {
      tenant: "pruned",
      from: commitOf(1),
      to: commitOf(2),
      dags: [{ kind: "prune", dagId: "hello", from: specHashOf("hello") }],
    });

    expect(await store.ledger.getRun("pruned", ready ?? "")).toMatchObject({ state: "cancelled" });
    expect(run?.runId).toBe(running);
    expect(await seam.settle(run ? [settlementOf(run)] : [])).toEqual(["stored"]);
  });
});

describe("a run of a clock that was wrong by months", () => {
  it.each(["2031-07-15T12:00:00.000Z", "2027-05-31T23:59:59.999Z", "1999-12-31T23:59:59.999Z"])(
    "admitted at %s settles, and is cancelled while it waits, for the month of its id is made first",
    async (instant) => {
      const wrong = new FakeClock(instant);
      const tenant = `wrong-${instant.slice(0, 4)}`;
      const seam = await world.worker();
      await applyTenant(store, { tenant, quota: quotaOf({ maxConcurrent: 1 }) });
      const runIds = await admitRuns(store, wrong, tenant, ["a", "b"]);
      const [run] = await seam.claim(1);
      if (run === undefined) throw new Error("nothing claimed");
      const waiting = runIds.find((runId) => runId !== run.runId) ?? "";

      const stored = await seam.report([outcomeOf(run, "hello")]);
      const cancelled = await store.admission.cancel({
        ...{ tenant, runId: waiting, rationale: null, now: instant, bodyOf: cancelledBody },
        actor: { kind: "user", subject: "ana", key: null },
      });
      const settled = await seam.settle([settlementOf(run)]);

      expect([stored, cancelled, settled]).toEqual([["stored"], { kind: "cancelled" }, ["stored"]]);
      expect((await store.ledger.getRun(tenant, run.runId))?.state).toBe("succeeded");
      expect(await store.ledger.attempts(tenant, run.runId)).toHaveLength(1);
    },
  );
});

describe("rescue", () => {
  const age = (workerId: string) =>
    world.db.admin("update worker set beat = now() - interval '1 minute' where worker_id = $1", [workerId]);

  it("gives back the runs of a worker without a beat, first in line, with a higher fence", async () => {
    const [dead, next] = [await world.worker(), await world.worker()];
    await applyTenant(store, { tenant: "rescue" });
    await admitRuns(store, clock, "rescue", ["a"]);
    const [run] = await dead.claim(1);
    await admitRuns(store, clock, "rescue", ["b"]);
    await age(dead.workerId);

    const rescued = await store.queue.rescue(10_000);
    const again = await next.claim(2);

    expect(rescued).toBe(1);
    expect(again.map((found) => found.trigger.key)).toEqual(["a", "b"]);
    expect(again[0]?.fence).toBeGreaterThan(run?.fence ?? 0);
    await expect(dead.heartbeat()).rejects.toMatchObject({ code: "WORKER_FENCED" });
    await next.settle(again.map((found) => settlementOf(found)));
  });

  it("counts the workers that died with a run, and no clean release", async () => {
    const [first, second] = [await world.worker(), await world.worker()];
    await applyTenant(store, { tenant: "counted" });
    await admitRuns(store, clock, "counted", keys(1));
    const [fresh] = await first.claim(1);
    if (fresh === undefined) throw new Error("nothing claimed");
    await first.release([fresh]);
    const [released] = await first.claim(1);

    await store.queue.retireWorker(first.workerId);
    const [once] = await second.claim(1);
    await store.queue.retireWorker(second.workerId);
    const third = await world.worker();
    const [twice] = await third.claim(1);

    expect([fresh, released, once, twice].map((run) => run?.rescues)).toEqual([0, 0, 1, 2]);
    if (twice !== undefined) await third.settle([settlementOf(twice)]);
  });

  it("waits for a tick under way, and then the beat saves the worker", async () => {
    const seam = await world.worker();
    await age(seam.workerId);
    await world.db.as("orrery_app", async (client) => {
      await client.query("begin");
      await client.query("select tick($1, 1, 1, now(), null, null, null, null, 0, 0, false)", [seam.workerId]);

      const rescued = store.queue.rescue(10_000);
      await lockWaited(() =>
        world.db.admin("select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%rescue%'"),
      );
      await client.query("commit");

      expect(await rescued).toBe(0);
    });
  });

  it("leaves no late write: a tick that waits for the rescuer is fenced and stores nothing", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "fence" });
    const [runId] = await admitRuns(store, clock, "fence", ["a"]);
    const [run] = await seam.claim(1);
    await age(seam.workerId);
    await world.db.as("orrery_app", async (client) => {
      await client.query("begin");
      await client.query("select rescue(interval '10 s', null)");

      const late = seam.report(run ? [outcomeOf(run, "late")] : []).catch((error: unknown) => error);
      await lockWaited(() =>
        world.db.admin("select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%tick%'"),
      );
      await client.query("commit");

      expect(await late).toMatchObject({ code: "WORKER_FENCED" });
    });
    expect(await store.ledger.attempts("fence", runId ?? "")).toEqual([]);
    const next = await world.worker();
    await next.settle((await next.claim(1)).map((found) => settlementOf(found)));
  });

  /** Asks until PostgreSQL itself says that somebody waits. */
  async function lockWaited(ask: () => Promise<readonly unknown[]>): Promise<void> {
    while ((await ask()).length === 0) await new Promise(setImmediate);
  }
});

describe("sweep", () => {
  it("writes nothing where nothing is wrong", async () => {
    await store.queue.sweep();
    const versions = () =>
      world.db.admin(
        "select ctid::text, xmin::text, xmax::text from tenant union all select ctid::text, xmin::text, xmax::text from worker order by 1, 2",
      );
    const before = await versions();

    expect(await store.queue.sweep()).toBe(0);

    expect(before).not.toEqual([]);
    // A row lock would show in xmax.
    expect(await versions()).toEqual(before);
  });

  it("repairs a counter that drifted, and promotes what it held back", async () => {
    const seam = await world.worker();
    await applyTenant(store, { tenant: "drift", quota: quotaOf({ maxConcurrent: 2 }) });
    await admitRuns(store, clock, "drift", keys(2));
    await world.db.admin("update run_live set tag = null where tenant_id = 'drift'");

    expect(await store.queue.sweep()).toBe(3);

    const runs = await seam.claim(5);
    expect(runs).toHaveLength(2);
    await seam.settle(runs.map((run) => settlementOf(run)));
    expect(await drift()).toEqual([]);
  });
});

describe("leases", () => {
  it("have one holder, and a new epoch with each change of hands", async () => {
    const { leases } = store;

    expect(await leases.hold("scheduler", "a", 60_000)).toBe(1);
    expect(await leases.hold("scheduler", "b", 60_000)).toBeNull();
    expect(await leases.hold("scheduler", "a", 60_000)).toBe(1);
    await leases.release("scheduler", "b");
    expect(await leases.hold("scheduler", "b", 60_000)).toBeNull();
    await leases.release("scheduler", "a");
    expect(await leases.hold("scheduler", "b", 60_000)).toBe(2);
  });
});
