import { describe, expect, it } from "vitest";
import type { AttemptOutcome } from "../../../src/store/index.ts";
import { FakeHosts, hanging } from "../../support/fake-hosts.ts";
import type { CrashPoint } from "../../support/fake-seam.ts";
import { type Bench, dag, setup, turnOfTheLoop } from "./worker-fixture.ts";

const spec = dag({
  fetch: { with: { n: 1 } },
  post: { needs: ["fetch"], with: { n: "${{ steps.fetch.outputs.n }}" } },
  tell: { needs: ["post"], with: { n: "${{ steps.post.outputs.n }}" } },
});

type Effects = "idempotent" | "any";

interface Story {
  readonly bench: Bench;
  readonly run: ReturnType<Bench["admit"]>;
  /** Executions in order: step and key, over both workers. */
  readonly executed: readonly { readonly stepId: string; readonly key: string; readonly attempt: number }[];
  readonly crashed: boolean;
}

/** A three-step run whose first worker dies at the point; a second one takes over. */
async function runWithCrash(crash: CrashPoint | null, effects: Effects): Promise<Story> {
  const bench = await setup();
  const plugin = { effects, run: (input: { readonly [key: string]: unknown }) => ({ n: Number(input["n"]) + 1 }) };
  const run = bench.admit({ spec, plugins: { fetch: plugin, post: plugin, tell: plugin } });
  const fate = { crashed: false };
  bench.queue.crash = crash;
  bench.queue.onCrash = () => {
    fate.crashed = true;
    bench.hosts.silent = true;
  };
  await bench.worker().start();
  await bench.until(() => fate.crashed || bench.queue.run(run).settlement !== null);
  const first = bench.hosts;
  if (fate.crashed) await takeOver(bench, run);
  const executed = [...new Set([first, bench.hosts])]
    .flatMap((hosts) => hosts.requests)
    .map(({ stepId, idempotencyKey, attempt }) => ({ stepId, key: idempotencyKey, attempt }));
  return { bench, run, executed, crashed: fate.crashed };
}

async function takeOver(bench: Bench, run: Story["run"]): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await turnOfTheLoop();
  const plugins = bench.hosts.plugins;
  bench.hosts = new FakeHosts();
  for (const [name, plugin] of plugins) bench.hosts.plugins.set(name, plugin);
  bench.queue.crash = null;
  bench.queue.rescueAll();
  await bench.worker().start();
  await bench.untilSettled(run);
}

/** Every point that a run without a crash passes, and one beyond. */
async function crashPoints(effects: Effects): Promise<readonly CrashPoint[]> {
  const { bench } = await runWithCrash(null, effects);
  const calls = bench.queue.calls.length;
  return Array.from({ length: calls + 1 }, (_, i) => i + 1).flatMap((call) => [
    { call, when: "before" as const },
    { call, when: "after" as const },
  ]);
}

describe("a worker that dies after any call of a three-step run", () => {
  it("with idempotent steps: the run succeeds, settles once, and a repeated step has the same key", async () => {
    const whole = await runWithCrash(null, "idempotent");
    const points = await crashPoints("idempotent");
    let crashes = 0;

    for (const point of points) {
      const { bench, run, executed, crashed } = await runWithCrash(point, "idempotent");
      const at = `${point.when} call ${point.call}`;

      crashes += crashed ? 1 : 0;
      expect(bench.record(run).status, at).toBe("succeeded");
      expect(bench.record(run).outputsHash, at).toBe(whole.bench.record(whole.run).outputsHash);
      for (const stepId of ["fetch", "post", "tell"]) {
        expect(bench.attempts(run, stepId), at).toHaveLength(1);
        expect(new Set(executed.filter((each) => each.stepId === stepId).map((each) => each.key)).size, at).toBe(1);
      }
      expect(bench.events.filter((event) => event.kind === "run_settled").length, at).toBeLessThanOrEqual(1);
    }
    expect(crashes).toBeGreaterThan(10);
  });

  it("with steps of unknown effects: none executes twice, and what was under way is LOST_OUTCOME_UNKNOWN", async () => {
    const points = await crashPoints("any");
    const endings = new Set<string>();

    for (const point of points) {
      const { bench, run, executed } = await runWithCrash(point, "any");
      const at = `${point.when} call ${point.call}`;

      const record = bench.record(run);
      endings.add(`${record.status} ${record.code ?? ""}`);
      for (const stepId of ["fetch", "post", "tell"]) {
        expect(executed.filter((each) => each.stepId === stepId).length, at).toBeLessThanOrEqual(1);
      }
      const attempts = record.steps.flatMap((step) => step.attempts);
      const lost = attempts.filter((attempt) => attempt.code === "LOST_OUTCOME_UNKNOWN");
      expect(lost.length, at).toBe(record.status === "succeeded" ? 0 : 1);
      if (lost.length > 0) expect(record, at).toMatchObject({ errorClass: "lost", code: "LOST_OUTCOME_UNKNOWN" });
    }
    expect([...endings].sort()).toEqual(["failed LOST_OUTCOME_UNKNOWN", "succeeded "]);
  });
});

describe("a run that worker after worker dies with", () => {
  /** Lives of workers until the run has settled; each ends once a step of it executes. */
  async function livesOf(bench: Bench, run: Story["run"]): Promise<number> {
    for (let lives = 1; ; lives++) {
      await bench.worker().start();
      const { hosts } = bench;
      await bench.until(() => hosts.requests.length > 0 || bench.queue.run(run).settlement !== null);
      if (bench.queue.run(run).settlement !== null) return lives;
      hosts.silent = true;
      bench.hosts = new FakeHosts();
      for (const [name, plugin] of hosts.plugins) bench.hosts.plugins.set(name, plugin);
      bench.queue.rescueAll();
    }
  }

  it.each(["none", "idempotent"] as const)(
    "a step with effects %s that kills its worker executes four times, then fails as lost",
    async (effects) => {
      const bench = await setup();
      const killer = { effects, run: hanging };
      const run = bench.admit({ spec: dag({ a: {}, b: { needs: ["a"] } }), plugins: { a: killer } });

      const lives = await livesOf(bench, run);

      expect(lives).toBe(5);
      expect(bench.record(run)).toMatchObject({ status: "failed", errorClass: "lost", code: "SANDBOX_LOST" });
      // The first worker marks nothing of such a step: its death counts, but has no attempt.
      expect(bench.attempts(run, "a").map(({ attempt, class: why }) => [attempt, why])).toEqual([
        [1, "lost"],
        [2, "lost"],
        [3, "lost"],
      ]);
      expect(bench.step(run, "b").reason).toBe("upstream_failed");
    },
  );

  it("is poisoned after ten deaths: nothing of it starts, what is stored stands in its record", async () => {
    const bench = await setup();
    const spec = dag({ a: {}, b: { needs: ["a"] }, c: { needs: ["b"] } });
    const run = bench.admit({ spec });
    bench.queue.run(run).rescues = 10;
    bench.queue.run(run).attempts.push({ ...(await succeeded(spec)), runId: run.runId });

    await bench.worker().start();
    await bench.untilSettled(run);

    expect(bench.hosts.requests).toEqual([]);
    expect(bench.record(run)).toMatchObject({ status: "failed", errorClass: "poison", code: "RUN_POISONED" });
    expect(bench.step(run, "a").status).toBe("succeeded");
    expect([bench.step(run, "b"), bench.step(run, "c")]).toMatchObject([
      { status: "failed", reason: "run_poisoned" },
      { status: "skipped", reason: "upstream_failed" },
    ]);
  });

  it("is not even read after twelve, and settles without steps", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }) });
    bench.queue.run(run).rescues = 12;

    await bench.worker({ readSnapshot: () => Promise.reject(new Error("this ends the daemon")) }).start();
    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ errorClass: "poison", code: "RUN_POISONED", steps: [] });
  });

  it("that has nothing left to start succeeds, however many died with it", async () => {
    const bench = await setup();
    const spec = dag({ a: {} });
    const run = bench.admit({ spec });
    bench.queue.run(run).rescues = 11;
    bench.queue.run(run).attempts.push({ ...(await succeeded(spec)), runId: run.runId });

    await bench.worker().start();
    await bench.untilSettled(run);

    expect(bench.record(run).status).toBe("succeeded");
  });

  /** The outcome of step `a`, as a run of its own stored it. */
  async function succeeded(whole: typeof spec): Promise<AttemptOutcome> {
    const bench = await setup();
    const run = bench.admit({ spec: whole, plugins: { b: { run: hanging } } });
    await bench.worker().start();
    await bench.until(() => bench.attempts(run, "a").length > 0);
    const [outcome] = bench.attempts(run, "a");
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  }
});
