import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { failing, hanging } from "../../support/fake-hosts.ts";
import { type Bench, dag, finallyOf, quota, setup } from "./worker-fixture.ts";

const fan = (items: number, forEach: { maxParallel?: number } = {}) =>
  dag({
    split: { with: { n: items } },
    each: {
      needs: ["split"],
      forEach: { in: "${{ steps.split.outputs.list }}", as: "n", ...forEach },
      with: { n: "${{ n }}", i: "${{ index }}" },
    },
    join: { needs: ["each"], with: { all: "${{ steps.each.outputs.map(o, o.echo.n) }}" } },
  });

const fanPlugins = {
  split: {
    run: (input: { readonly [key: string]: unknown }) => ({
      list: Array.from({ length: Number(input["n"]) }, (_, i) => i),
    }),
  },
};

const named = (bench: Bench, kind: string): number => bench.events.filter((event) => event.kind === kind).length;

describe("fan-out", () => {
  it("1-100-1: every item once, in order of its index, joined by one", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: fan(100), plugins: fanPlugins });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.output(run, "join")).toEqual({ echo: { all: Array.from({ length: 100 }, (_, i) => i) } });
    expect(bench.step(run, "each")).toMatchObject({ items: 100, status: "succeeded" });
    expect(bench.hosts.requests.filter(({ stepId }) => stepId === "each").map(({ index }) => index)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(new Set(bench.attempts(run, "each").map((attempt) => attempt.stepKey)).size).toBe(100);
  });

  it("never more at once than the machine has hosts", async () => {
    const bench = await setup();
    bench.hosts.capacity = 3;
    const run = bench.admit({ spec: fan(20), plugins: fanPlugins, quota: { ...quota, steps: { maxConcurrent: 50 } } });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.hosts.mostRunning).toBe(3);
  });

  it("nor than forEach.maxParallel", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: fan(20, { maxParallel: 2 }), plugins: fanPlugins });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.hosts.mostRunning).toBe(2);
  });

  it("nor than this worker's share of the tenant's steps, at least one", async () => {
    const bench = await setup();
    bench.hosts.capacity = 50;
    bench.queue.liveWorkers = 3;
    const run = bench.admit({ spec: fan(20), plugins: fanPlugins, quota: { ...quota, steps: { maxConcurrent: 8 } } });
    await bench.worker().start();
    await bench.untilSettled(run);
    const share = bench.hosts.mostRunning;

    const small = bench.admit({ spec: fan(5), plugins: fanPlugins, quota: { ...quota, steps: { maxConcurrent: 1 } } });
    bench.hosts.mostRunning = 0;
    await bench.untilSettled(small);

    expect(share).toBe(2);
    expect(bench.hosts.mostRunning).toBe(1);
  });

  it("a tenant at its bound does not hold up another", async () => {
    const bench = await setup();
    const narrow = { ...quota, steps: { maxConcurrent: 1 } };
    const slow = bench.admit({ spec: dag({ a: {}, b: {} }), plugins: { a: { run: hanging } }, quota: narrow });
    const other = bench.admit({ tenant: "globex", spec: dag({ c: {} }) });
    await bench.worker().start();

    await bench.untilSettled(other);

    expect(bench.queue.run(slow).settlement).toBeNull();
    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a", "c"]);
  });

  it("outcomes that end together are handed over together, not one after the other's commit", async () => {
    const bench = await setup();
    bench.hosts.capacity = 100;
    let inFlight = 0;
    let most = 0;
    const run = bench.admit({ spec: fan(50), plugins: fanPlugins, quota: { ...quota, steps: { maxConcurrent: 100 } } });
    const createSeam: typeof bench.queue.createSeam = (worker) => {
      const seam = bench.queue.createSeam(worker);
      const report: typeof seam.report = async (outcomes) => {
        inFlight++;
        most = Math.max(most, inFlight);
        await bench.clock.sleep(5, new AbortController().signal);
        inFlight--;
        return await seam.report(outcomes);
      };
      return { ...seam, report };
    };
    await bench.worker({ createSeam }).start();

    await bench.untilSettled(run);

    expect(most).toBe(50);
  });
});

describe("order", () => {
  it("what is ready together starts in the order of its ids", async () => {
    const bench = await setup();
    bench.hosts.capacity = 1;
    const run = bench.admit({ spec: dag({ d: {}, b: {}, a: { needs: ["d"] }, c: {}, b_2: {} }) });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["b", "b_2", "c", "d", "a"]);
  });

  it("an outcome is durable before anything that needs it starts", async () => {
    const bench = await setup();
    const durableAtStart: boolean[] = [];
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: {
        b: {
          run: () => {
            durableAtStart.push(bench.attempts(run, "a").length === 1);
            return {};
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(durableAtStart).toEqual([true]);
  });
});

describe("record", () => {
  it("has every step, also those that never ran, and what identifies the run", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"], when: "${{ false }}" }, c: { needs: ["b"] } }, finallyOf({ z: {} })),
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    const record = bench.record(run);
    expect(record.steps.map(({ stepId, status, finally: last }) => [stepId, status, last])).toEqual([
      ["a", "succeeded", false],
      ["b", "skipped", false],
      ["c", "skipped", false],
      ["z", "succeeded", true],
    ]);
    expect(record).toMatchObject({
      kind: "run",
      runId: run.runId,
      deterministic: true,
      runtime: { level: "confined" },
    });
    expect(record.replayToken).toMatch(/^orr1\./);
    expect(record.stepsHash).toMatch(/^[0-9a-f]{64}$/);
    expect(bench.queue.run(run).settlement).toMatchObject({ status: "succeeded", recordId: `run/${run.runId}` });
  });

  it("equal runs have equal hashes, whatever ended first", async () => {
    const spec = fan(10);
    const hashes = new Set<string>();
    for (const capacity of [1, 7]) {
      const bench = await setup();
      bench.hosts.capacity = capacity;
      const run = bench.admit({ spec, plugins: fanPlugins, key: "same" });
      await bench.worker().start();
      await bench.untilSettled(run);
      const record = bench.record(run);
      hashes.add(JSON.stringify([record.outputsHash, record.steps.flatMap((s) => s.attempts.map((a) => a.stepKey))]));
    }

    expect(hashes.size).toBe(1);
  });

  it("an expression sees the steps that must have ended before its own, never whoever was faster", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ fast: {}, slow: {}, z: { needs: ["slow"], with: { x: "${{ steps.fast.outputs.echo }}" } } }),
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "fast").status).toBe("succeeded");
    expect(bench.step(run, "z")).toMatchObject({ status: "failed", reason: "err_expr" });
  });

  it("a run of a slot sees its slot in its expressions", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag(
        { a: { with: { day: "${{ slot.date }}", at: "${{ slot.utc }}", no: "${{ run.runNo }}" } } },
        { schedules: [{ name: "nightly", cron: "30 3 * * *", timezone: "Europe/Vienna" }] },
      ),
    });
    const trigger = { kind: "schedule", key: "k", schedule: "nightly", slot: "2026-11-23T23:30:00.000Z" };
    Object.assign(bench.queue.run(run).base, { trigger });
    await bench.worker().start();

    await bench.untilSettled(run);

    const expected = { day: "2026-11-24", at: "2026-11-23T23:30:00.000Z", no: 1 };
    expect(bench.output(run, "a")).toEqual({ echo: expected });
  });

  it("a run with network or a nondeterministic plugin is not called deterministic", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }), plugins: { a: { nondeterministic: true } } });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.record(run).deterministic).toBe(false);
  });
});

describe("a lost lease", () => {
  it("kills the hosts before anything else, stores nothing more, tells the owner, and a fresh start goes on", async () => {
    const bench = await setup();
    const order: string[] = [];
    const run = bench.admit({ spec: dag({ a: {} }), plugins: { a: { run: hanging } } });
    const killAll = bench.hosts.killAll.bind(bench.hosts);
    bench.hosts.killAll = () => {
      order.push("hosts killed");
      killAll();
    };
    const failed = (fault: Fault): void => void order.push(fault.code);
    const worker = bench.worker({ failed });
    await worker.start();
    await bench.until(() => bench.hosts.running === 1);

    bench.queue.rescueAll();
    worker.wake();
    await bench.until(() => order.length === 2);
    const stored = bench.attempts(run, "a").length;
    bench.hosts.plugins.set("test.a", () => ({}));
    await worker.start();
    await bench.untilSettled(run);

    expect(order).toEqual(["hosts killed", "WORKER_FENCED"]);
    expect(stored).toBe(0);
    expect(bench.record(run).status).toBe("succeeded");
    expect(bench.queue.run(run).fence).toBe(2);
  });

  it.each(["rejects", "hangs"])("is assumed when the store %s for the time of a lease", async (how) => {
    const bench = await setup();
    bench.admit({ spec: dag({ a: {} }), plugins: { a: { run: hanging } } });
    await bench.worker().start();
    await bench.until(() => bench.hosts.running === 1);

    if (how === "hangs") bench.queue.away = true;
    else bench.queue.down = new Fault("DATABASE_UNAVAILABLE", "gone");
    await bench.until(() => bench.failures.length > 0);

    expect(bench.failures.map((fault) => fault.code)).toEqual(["WORKER_FENCED"]);
    expect(bench.hosts.killedAll).toBe(1);
    expect(bench.clock.monotonicMs()).toBeGreaterThanOrEqual(30_000);
    expect(bench.hosts.running).toBe(0);
  });

  it("of one run alone ends that run here and no other", async () => {
    const bench = await setup();
    let go: () => void = () => undefined;
    const taken = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: { a: { run: () => new Promise((r) => (go = () => r({}))) } },
    });
    const kept = bench.admit({ spec: dag({ c: {} }) });
    await bench.worker().start();
    await bench.untilSettled(kept);

    bench.queue.takeAway(taken);
    go();
    await bench.quiet();

    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a", "c"]);
    expect(bench.queue.run(taken).settlement).toBeNull();
    expect(bench.failures).toEqual([]);
  });
});

describe("a store that is away", () => {
  it.each(["rejects", "hangs"])("%s for less than a lease loses nothing: the run settles once", async (how) => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: {
        a: {
          run: () => {
            if (how === "hangs") bench.queue.away = true;
            else bench.queue.down = new Fault("DATABASE_UNAVAILABLE", "gone");
            return {};
          },
        },
      },
    });
    await bench.worker().start();
    await bench.until(() => bench.queue.down !== null || bench.queue.away);
    await bench.clock.advance(10_000);

    bench.queue.down = null;
    bench.queue.comeBack();
    await bench.untilSettled(run);

    expect(bench.record(run).status).toBe("succeeded");
    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a", "b"]);
    expect(named(bench, "run_settled")).toBe(1);
    expect(bench.failures).toEqual([]);
  });
});

describe("an answer that got lost", () => {
  it("of report, begin or settle: the call is made again, answered duplicate, and nothing is done twice", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: { a: { effects: "any" } },
    });
    const createSeam: typeof bench.queue.createSeam = (worker) => {
      const seam = bench.queue.createSeam(worker);
      const losing = <A, T>(call: (items: A) => Promise<T>): ((items: A) => Promise<T>) => {
        let calls = 0;
        return async (items) => {
          const answer = await call(items);
          if (calls++ % 2 === 0) throw new Fault("DATABASE_UNAVAILABLE", "the answer got lost");
          return answer;
        };
      };
      return {
        ...seam,
        report: losing((items) => seam.report(items)),
        begin: losing((items) => seam.begin(items)),
        settle: losing((items) => seam.settle(items)),
      };
    };
    await bench.worker({ createSeam }).start();

    await bench.untilSettled(run);
    await bench.until(() => named(bench, "run_settled") === 1);

    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a", "b"]);
    expect(bench.record(run).status).toBe("succeeded");
    expect(bench.queue.calls.filter((call) => call === "settle")).toHaveLength(2);
  });
});

describe("one bad run", () => {
  it.each([
    ["a plugin that is not in the store", (bench: Bench, sha: string) => bench.forgeBlob("acme", sha, "other bytes")],
  ])("%s: fails as internal, with its record, and no other run notices", async (_what, damage) => {
    const bench = await setup();
    const bad = bench.admit({ spec: dag({ a: {}, b: { needs: ["a"] } }) });
    const good = bench.admit({ spec: dag({ c: {} }) });
    damage(bench, bench.blob("acme", "// test.a@1.0.0"));
    await bench.worker().start();

    await bench.untilSettled(bad, good);

    expect(bench.record(bad)).toMatchObject({ status: "failed", errorClass: "internal", code: "INTERNAL" });
    expect(bench.record(bad).steps.map(({ stepId, status, reason }) => [stepId, status, reason])).toEqual([
      ["a", "cancelled", "internal"],
      ["b", "cancelled", "internal"],
    ]);
    expect(bench.record(good).status).toBe("succeeded");
    expect(bench.failures).toEqual([]);
  });

  it("whose snapshot is gone settles as internal without steps", async () => {
    const bench = await setup();
    const bad = bench.admit({ spec: dag({ a: {} }) });
    const good = bench.admit({ spec: dag({ c: {} }), dagId: "good" });
    const readSnapshot = (): Promise<never> => Promise.reject(new Error("gone"));
    await bench.worker({ readSnapshot }, 1).start();

    await bench.untilSettled(bad, good);

    expect(bench.record(bad)).toMatchObject({ status: "failed", code: "INTERNAL", steps: [] });
  });

  it("whose stored spec is not the one of its hash fails as internal", async () => {
    const bench = await setup();
    const bad = bench.admit({ spec: dag({ a: {} }) });
    Object.assign(bench.queue.run(bad).base, { specHash: "0".repeat(64) });
    await bench.worker().start();

    await bench.untilSettled(bad);

    expect(bench.record(bad)).toMatchObject({ status: "failed", code: "INTERNAL", steps: [] });
    expect(bench.hosts.requests).toEqual([]);
  });

  it("whose record the store refuses is settled without its steps", async () => {
    const bench = await setup();
    const bad = bench.admit({ spec: dag({ a: {} }) });
    const createSeam: typeof bench.queue.createSeam = (worker) => {
      const seam = bench.queue.createSeam(worker);
      const settle: typeof seam.settle = ([item]) =>
        item?.bodyText.includes("test.a") === true ? Promise.resolve(["unfit"]) : seam.settle([item!]);
      return { ...seam, settle };
    };
    await bench.worker({ createSeam }).start();

    await bench.untilSettled(bad);

    expect(bench.record(bad)).toMatchObject({ status: "failed", code: "INTERNAL", steps: [] });
  });

  it("that cannot be settled at all stays claimed and does not keep others from ending", async () => {
    const bench = await setup();
    const bad = bench.admit({ spec: dag({ a: {} }), key: "bad" });
    const good = bench.admit({ spec: dag({ a: {} }), key: "good" });
    const createSeam: typeof bench.queue.createSeam = (worker) => {
      const seam = bench.queue.createSeam(worker);
      const settle: typeof seam.settle = ([item]) =>
        item?.runId === bad.runId ? Promise.resolve(["unfit"]) : seam.settle([item!]);
      return { ...seam, settle };
    };
    await bench.worker({ createSeam }).start();

    await bench.untilSettled(good);
    await bench.quiet();

    expect(bench.queue.run(bad).state).toBe("claimed");
    expect(bench.failures).toEqual([]);
  });

  it("ends what it runs before it is settled, and names it in the record", async () => {
    const bench = await setup();
    const bad = bench.admit({
      spec: dag({ a: {}, b: {} }),
      plugins: { a: { run: hanging }, b: { run: () => Promise.reject(new Error("a host that breaks its promise")) } },
    });
    await bench.worker().start();

    await bench.untilSettled(bad);

    expect(bench.record(bad).code).toBe("INTERNAL");
    expect(bench.step(bad, "a").attempts).toMatchObject([{ status: "cancelled" }]);
    expect(bench.hosts.running).toBe(0);
  });
});

describe("life", () => {
  it("an idle worker beats and asks for work every two seconds, and does nothing else", async () => {
    const bench = await setup();
    await bench.worker().start();
    await bench.quiet();
    bench.queue.calls.length = 0;

    for (let second = 0; second < 600; second++) await bench.clock.advance(1_000);

    expect(new Set(bench.queue.calls)).toEqual(new Set(["claim", "heartbeat"]));
    expect(bench.queue.calls.filter((call) => call === "heartbeat").length).toBeGreaterThanOrEqual(299);
    expect(bench.queue.calls.filter((call) => call === "heartbeat").length).toBeLessThanOrEqual(301);
  });

  it("claims no more runs than it may hold, and the next when one has settled", async () => {
    const bench = await setup();
    const runs = [1, 2, 3].map((n) => bench.admit({ spec: dag({ a: {} }), key: `n${n}` }));
    let held = 0;
    await bench.worker({ emit: () => (held = Math.max(held, claimed(bench))) }, 2).start();

    await bench.untilSettled(...runs);

    expect(held).toBe(2);
  });

  it("claims no hoard: twice its hosts, and runs that only wait for a retry do not count", async () => {
    const bench = await setup();
    bench.hosts.capacity = 1;
    const narrow = { ...quota, steps: { maxConcurrent: 1 } };
    const retry = { maxAttempts: 2, backoff: 600_000, maxBackoff: 600_000, errors: ["transient"] };
    const waiting = ["w1", "w2", "w3"].map((key) =>
      bench.admit({ spec: dag({ w: { retry } }), key, plugins: { w: { run: () => failing("SANDBOX_UNAVAILABLE") } } }),
    );
    const busy = ["b1", "b2", "b3"].map((key) =>
      bench.admit({ spec: dag({ b: {} }), key, quota: narrow, plugins: { b: { run: hanging } } }),
    );
    await bench.worker().start();

    await bench.until(() => bench.hosts.running === 1);
    await bench.quiet();

    expect(waiting.map((run) => bench.queue.run(run).state)).toEqual(["claimed", "claimed", "claimed"]);
    expect(busy.map((run) => bench.queue.run(run).state)).toEqual(["claimed", "claimed", "ready"]);
  });

  it("a clean stop lets running attempts end, stores them, gives the run back, and starts nothing more", async () => {
    const bench = await setup();
    let go: () => void = () => undefined;
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: { a: { run: () => new Promise((resolve) => (go = () => resolve({}))) } },
    });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => bench.hosts.running === 1);

    const stopped = worker.stop();
    await bench.quiet();
    go();
    await stopped;

    expect(bench.attempts(run, "a").map(({ status }) => status)).toEqual(["succeeded"]);
    expect(bench.queue.run(run).state).toBe("ready");
    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a"]);
    expect(bench.queue.retired).toBe(1);
  });

  it("a clean stop kills what outlasts its grace; another worker repeats it with the same key", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }), plugins: { a: { run: hanging } } });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => bench.hosts.running === 1);

    let done = false;
    const stopped = worker.stop().then(() => (done = true));
    await bench.until(() => done);
    await stopped;
    const between = [bench.queue.run(run).state, bench.attempts(run, "a").length];
    bench.hosts.plugins.set("test.a", () => ({}));
    await bench.worker().start();
    await bench.untilSettled(run);

    expect(between).toEqual(["ready", 0]);
    expect(new Set(bench.hosts.requests.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(bench.record(run).status).toBe("succeeded");
  });

  it("a stop while the store hangs ends too, and leaves the rest to the lease", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }), plugins: { a: { run: hanging } } });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => bench.hosts.running === 1);
    bench.queue.away = true;

    let done = false;
    const stopped = worker.stop().then(() => (done = true));
    await bench.until(() => done);
    await stopped;

    expect(bench.hosts.running).toBe(0);
    expect(bench.queue.run(run).state).toBe("claimed");
    expect(bench.failures).toEqual([]);
  });

  it.each(["a stop", "a lost lease"])("%s does not wait for an outcome that the store does not take", async (how) => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {} }),
      plugins: {
        a: {
          run: () => {
            bench.queue.away = true;
            return {};
          },
        },
      },
    });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => bench.queue.away);
    await bench.quiet();

    let ended = false;
    const stopped = how === "a stop" ? worker.stop().then(() => (ended = true)) : Promise.resolve();
    await bench.until(() => ended || bench.failures.length > 0);
    await stopped;

    expect(bench.failures.length).toBe(how === "a stop" ? 0 : 1);
    expect(bench.queue.run(run).attempts).toEqual([]);
    expect(bench.clock.sleeping).toBe(0);
  });

  it("a start waits for a store that is away, and a stop ends that wait", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }) });
    let isAway = true;
    const registerWorker = () =>
      isAway ? Promise.reject(new Fault("DATABASE_UNAVAILABLE", "gone")) : bench.queue.registerWorker();
    const queue = { registerWorker, retireWorker: (id: string) => bench.queue.retireWorker(id) };
    const [stopped, patient] = [bench.worker({ queue }), bench.worker({ queue })];
    const first = stopped.start().catch((error: unknown) => String(error));
    const second = patient.start();
    await bench.clock.advance(5_000);

    await stopped.stop();
    isAway = false;
    await bench.untilSettled(run);
    await second;

    expect(await first).toContain("the worker stops");
    await patient.stop();
    expect(bench.clock.sleeping).toBe(0);
  });

  it("stop is safe before start, twice, and while the store is away", async () => {
    const bench = await setup();
    const worker = bench.worker();

    await worker.stop();
    await worker.start();
    bench.queue.down = new Fault("DATABASE_UNAVAILABLE", "gone");
    await worker.stop();
    await worker.stop();

    expect(bench.clock.sleeping).toBe(0);
  });

  it("leaves no wait behind when it has stopped", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }, { timeout: 3_600_000 }) });
    const worker = bench.worker();
    await worker.start();
    await bench.untilSettled(run);

    await worker.stop();

    expect(bench.clock.sleeping).toBe(0);
  });

  it("a cancel that comes while attempts wait for a place stores nothing of them", async () => {
    const bench = await setup();
    bench.hosts.capacity = 1;
    const run = bench.admit({ spec: dag({ a: {}, b: {} }), plugins: { a: { run: hanging } } });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => bench.hosts.running === 1);

    bench.queue.askCancel(run);
    worker.wake();
    await bench.untilSettled(run);

    expect(bench.step(run, "b")).toMatchObject({ status: "cancelled", attempts: [] });
    expect(bench.attempts(run, "a")).toHaveLength(1);
    expect(named(bench, "run_settled")).toBe(1);
  });
});

const claimed = (bench: Bench): number =>
  [...bench.queue.runs.values()].filter(({ state }) => state === "claimed").length;
