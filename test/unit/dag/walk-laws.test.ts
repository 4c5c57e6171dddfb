import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AttemptEnd,
  advance,
  createWalk,
  restoreWalk,
  runStatusOf,
  type StepStatus,
  type StoredAttempt,
  type StoredMark,
  topologicalOrder,
  type WalkAnswer,
  type WalkCommand,
  type WalkDag,
  type WalkEvent,
} from "../../../src/dag/index.ts";
import type { StepSpec } from "../../../src/spec/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { dag, list, step } from "./walk-fixture.ts";

// A world that answers every command from a table: what a step does depends on (step, index, attempt) alone.
interface World {
  readonly dag: WalkDag;
  readonly when: Readonly<Record<string, boolean | "error">>;
  readonly items: Readonly<Record<string, number>>;
  readonly outcome: (stepId: string, index: number, attempt: number) => "ok" | "transient" | "permanent" | "lost";
}

interface Disk {
  readonly attempts: Map<string, StoredAttempt>;
  readonly marks: Map<string, StoredMark>;
}

const key = (c: { stepId: string; index: number; attempt: number }): string => `${c.stepId}/${c.index}/${c.attempt}`;

interface Place {
  readonly world: World;
  readonly disk: Disk;
  /** What is answered at all. */
  readonly answers?: (command: WalkCommand) => boolean;
}

/** Runs a walk to its end; `pick` chooses which waiting answer comes next; `stop` ends this worker's life. */
function live(
  { world, disk, answers = () => true }: Place,
  first: WalkAnswer,
  pick: () => number,
  stop: (turn: number, pending: readonly WalkCommand[]) => "no" | "crash" | "cancel",
) {
  const log: WalkCommand[] = [];
  const pending: WalkCommand[] = [];
  let cancelledAt = Number.POSITIVE_INFINITY;
  let { walk } = first;
  const take = (commands: readonly WalkCommand[]): void => {
    for (const command of commands) {
      log.push(command);
      if (command.kind === "dispatch" && command.mark) disk.marks.set(key(command), { ...ref(command), startedMs: 1 });
      if (command.kind === "abort") {
        const at = pending.findIndex((p) => p.kind === "dispatch" && key(p) === key(command));
        if (at >= 0) pending[at] = command;
      } else if (command.kind === "wait" && command.timer.kind !== "retry") continue;
      else if (["evaluate", "dispatch", "settle_lost", "wait"].includes(command.kind)) pending.push(command);
    }
  };
  take(first.commands);
  for (let turn = 0; pending.length > 0; turn++) {
    const verdict = stop(turn, pending);
    if (verdict === "crash") return { walk, log, crashed: true, cancelledAt };
    if (verdict === "cancel") {
      cancelledAt = log.length;
      const answer = advance(walk, { kind: "cancel", atMs: turn });
      walk = answer.walk;
      take(answer.commands);
      if (pending.length === 0) break;
    }
    const open = pending.filter(answers);
    const command = open[pick() % Math.max(1, open.length)];
    if (command === undefined) break;
    pending.splice(pending.indexOf(command), 1);
    const answer = advance(walk, answerOf(world, disk, command));
    walk = answer.walk;
    take(answer.commands);
  }
  return { walk, log, crashed: false, cancelledAt };
}

/** `rescues` 0: given back by a worker that stopped in order, so that no death counts as a lost attempt. */
const restartOf = ({ attempts, marks }: Disk, rescues: number) => ({
  startedMs: 0,
  rescues,
  attempts: [...attempts.values()],
  marks: [...marks.values()],
});

/** A life that answers all but attempts, and ends once nothing but those is left. */
function liveUntilAttempts({ world, disk }: Place, first: WalkAnswer, pick: () => number) {
  const isAttempt = ({ kind }: WalkCommand): boolean => kind === "dispatch";
  const answers = (command: WalkCommand): boolean => !isAttempt(command);
  return live({ world, disk, answers }, first, pick, (_, pending) => (pending.every(isAttempt) ? "crash" : "no"));
}

const ref = ({ stepId, index, attempt }: { stepId: string; index: number; attempt: number }) => ({
  stepId,
  index,
  attempt,
});

function answerOf(world: World, disk: Disk, command: WalkCommand): WalkEvent {
  switch (command.kind) {
    case "evaluate":
      return evaluationOf(world, command.stepId);
    case "wait":
      return { kind: "due", timer: command.timer, atMs: command.untilMs };
    case "settle_lost":
      return store(disk, ref(command), { status: "failed", class: "lost", code: "LOST_OUTCOME_UNKNOWN", endedMs: 1 });
    case "abort":
      return store(disk, ref(command), { status: "cancelled", class: "cancelled", code: "RUN_CANCELLED", endedMs: 1 });
    case "dispatch": {
      const what = world.outcome(command.stepId, command.index, command.attempt);
      return store(
        disk,
        ref(command),
        what === "ok"
          ? { status: "succeeded", class: null, code: null, endedMs: 1 }
          : { status: "failed", class: what, code: what === "lost" ? "SANDBOX_LOST" : "STEP_FAILED", endedMs: 1 },
      );
    }
    case "finish_step":
    case "start_finally":
    case "settle_run":
      throw new Error(`no answer to ${command.kind}`);
  }
}

function evaluationOf(world: World, stepId: string): WalkEvent {
  const when = world.when[stepId] ?? true;
  if (when === "error") {
    return { kind: "evaluated", stepId, answer: { kind: "failed", class: "permanent", code: "ERR_EXPR" }, atMs: 1 };
  }
  if (!when) return { kind: "evaluated", stepId, answer: { kind: "skip" }, atMs: 1 };
  return { kind: "evaluated", stepId, answer: { kind: "run", items: world.items[stepId] ?? null }, atMs: 1 };
}

function store(disk: Disk, at: { stepId: string; index: number; attempt: number }, end: AttemptEnd): WalkEvent {
  if (disk.attempts.has(key(at))) throw new Error(`${key(at)} was stored twice`);
  disk.attempts.set(key(at), { ...at, ...end });
  return { kind: "attempt_ended", ...at, ...end };
}

/** What a step comes to, written as a definition and not as a walk: the oracle. */
function expected(world: World): { steps: Map<string, StepStatus>; status: string } {
  const ends = new Map<string, StepStatus>();
  const itemOf = (spec: StepSpec, index: number): "succeeded" | "failed" => {
    let counted = 0;
    let lost = 0;
    for (let attempt = 1; ; attempt++) {
      const what = world.outcome(spec.stepId, index, attempt);
      if (what === "ok") return "succeeded";
      if (what === "lost" && lost < 3) lost += 1;
      else if (what === "permanent") return "failed";
      else {
        counted += 1;
        if (what === "lost" || counted >= spec.retry.maxAttempts) return "failed";
      }
    }
  };
  const endOf = (spec: StepSpec, peers: readonly StepSpec[]): StepStatus => {
    const needs = spec.needs.flatMap((id) => peers.find((p) => p.stepId === id) ?? []);
    const gated = needs.filter((n) => !(world.dag.statusReads[spec.stepId] ?? []).includes(n.stepId));
    for (const need of gated) {
      const status = ends.get(need.stepId);
      if (status === "skipped" || (status === "failed" && !need.continueOnError)) return "skipped";
    }
    if (spec.when !== null && world.when[spec.stepId] === "error") return "failed";
    if (spec.when !== null && world.when[spec.stepId] === false) return "skipped";
    const count = spec.forEach === null ? 1 : (world.items[spec.stepId] ?? 0);
    const items = Array.from({ length: count }, (_, i) => itemOf(spec, i));
    return items.includes("failed") ? "failed" : "succeeded";
  };
  const through = (specs: readonly StepSpec[]) => {
    const order = topologicalOrder(specs);
    for (const id of order.kind === "ordered" ? order.stepIds : []) {
      const spec = specs.find((s) => s.stepId === id);
      if (spec !== undefined) ends.set(id, endOf(spec, specs));
    }
    return specs.map((s) => ({ status: ends.get(s.stepId) ?? "cancelled", continueOnError: s.continueOnError }));
  };
  const main = runStatusOf(null, through(world.dag.steps));
  const last = runStatusOf(null, through(world.dag.finally));
  return { steps: ends, status: main === "succeeded" ? last : main };
}

const outcomes = fc.constantFrom("ok", "ok", "ok", "transient", "permanent", "lost");

const specs = (prefix: string, min: number) =>
  fc.integer({ min, max: 6 }).chain((n) =>
    fc.tuple(
      ...Array.from({ length: n }, (_, i) =>
        fc.record({
          needs: fc.subarray(Array.from({ length: i }, (_, j) => `${prefix}${(j * 7) % 10}`)),
          when: fc.constantFrom(null, null, true, false, "error" as const),
          items: fc.constantFrom(null, null, 0, 1, 3),
          maxParallel: fc.constantFrom(null, 1, 2),
          continueOnError: fc.boolean(),
          maxAttempts: fc.integer({ min: 1, max: 3 }),
          lifts: fc.boolean(),
        }),
      ),
    ),
  );

const worlds: fc.Arbitrary<World> = fc
  .record({ main: specs("s", 1), last: specs("f", 0), outcomes: fc.array(outcomes, { minLength: 64, maxLength: 64 }) })
  .map(({ main, last, outcomes: table }) => {
    const when: Record<string, boolean | "error"> = {};
    const items: Record<string, number> = {};
    const statusReads: Record<string, readonly string[]> = {};
    const made = (prefix: string, facts: typeof main): StepSpec[] =>
      facts.map((f, i) => {
        const stepId = `${prefix}${(i * 7) % 10}`;
        if (f.when !== null) when[stepId] = f.when;
        if (f.items !== null) items[stepId] = f.items;
        if (f.lifts && f.when !== null) statusReads[stepId] = f.needs.slice(0, 1);
        return step(stepId, {
          needs: f.needs,
          when: f.when === null ? null : "${{ x }}",
          forEach: f.items === null ? null : list(10, f.maxParallel),
          continueOnError: f.continueOnError,
          retry: { ...step("x").retry, maxAttempts: f.maxAttempts },
        });
      });
    const steps = made("s", main);
    const last_ = made("f", last);
    return {
      dag: dag(steps, { finally: last_, statusReads }),
      when,
      items,
      outcome: (stepId, index, attempt) => {
        const hash = Array.from(key({ stepId, index, attempt })).reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 9973, 7);
        return table[hash % table.length] ?? "ok";
      },
    };
  });

const noStop = (): "no" => "no";
const emptyDisk = (): Disk => ({ attempts: new Map(), marks: new Map() });
const endsIn = (walk: WalkAnswer["walk"]) =>
  new Map(
    [...walk.steps].map(([id, s]) => [id, s.end?.status]).sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1)) as [
      string,
      StepStatus,
    ][],
  );

describe("laws of the walk", () => {
  it("comes to what the truth table says, in whatever order the answers come", () => {
    fc.assert(
      fc.property(worlds, fc.infiniteStream(fc.nat()), (world, chance) => {
        const { walk, log } = live(
          { world, disk: emptyDisk() },
          createWalk(world.dag, { startedMs: 0 }),
          () => Number(chance.next().value),
          noStop,
        );
        const want = expected(world);

        expect(Object.fromEntries(endsIn(walk))).toEqual(Object.fromEntries(want.steps));
        expect(log.at(-1)).toMatchObject({ kind: "settle_run", status: want.status });
        expect(log.filter((c) => c.kind === "settle_run")).toHaveLength(1);
        expect(log.filter((c) => c.kind === "finish_step")).toHaveLength(walk.steps.size);
      }),
      { numRuns: rounds(400, 10000), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });

  it("never changes a walk in place", () => {
    fc.assert(
      fc.property(worlds, fc.nat(20), (world, after) => {
        const disk = emptyDisk();
        const cut = live(
          { world, disk },
          createWalk(world.dag, { startedMs: 0 }),
          () => 0,
          (t) => (t === after ? "crash" : "no"),
        );
        const before = JSON.stringify([...cut.walk.steps]);
        advance(cut.walk, { kind: "cancel", atMs: 1 });

        expect(JSON.stringify([...cut.walk.steps])).toBe(before);
      }),
      { numRuns: rounds(100, 2500), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });

  it("comes to the same after crashes at any point, storing each attempt once", () => {
    fc.assert(
      fc.property(
        worlds,
        fc.infiniteStream(fc.nat()),
        fc.array(fc.nat(12), { maxLength: 4 }),
        (world, chance, crashes) => {
          const disk = emptyDisk();
          const pick = () => Number(chance.next().value);
          let state = live({ world, disk }, createWalk(world.dag, { startedMs: 0 }), pick, (t) =>
            t === crashes[0] ? "crash" : "no",
          );
          for (let life = 1; state.crashed; life++) {
            const stored = restartOf(disk, 0);
            state = live({ world, disk }, restoreWalk(world.dag, stored), pick, (t) =>
              t === crashes[life] ? "crash" : "no",
            );
          }
          const want = expected(world);

          expect(Object.fromEntries(endsIn(state.walk))).toEqual(Object.fromEntries(want.steps));
          expect(state.log.at(-1)).toMatchObject({ kind: "settle_run", status: want.status });
        },
      ),
      { numRuns: rounds(400, 10000), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });

  it("whatever kills its worker: no item executes more than four times for that, and the run settles", () => {
    fc.assert(
      fc.property(worlds, fc.infiniteStream(fc.nat()), (world, chance) => {
        const disk = emptyDisk();
        const pick = () => Number(chance.next().value);
        const lives = [liveUntilAttempts({ world, disk }, createWalk(world.dag, { startedMs: 0 }), pick)];
        while (lives.at(-1)?.crashed === true && lives.length < 200) {
          const first = restoreWalk(world.dag, restartOf(disk, lives.length));
          lives.push(liveUntilAttempts({ world, disk }, first, pick));
        }

        const executed = new Map<string, number>();
        for (const command of lives.flatMap(({ log }) => log)) {
          const item = command.kind === "dispatch" ? `${command.stepId}/${String(command.index)}` : null;
          if (item !== null) executed.set(item, (executed.get(item) ?? 0) + 1);
        }
        expect(Math.max(0, ...executed.values())).toBeLessThanOrEqual(4);
        expect(lives.at(-1)?.log.at(-1)?.kind).toBe("settle_run");
      }),
      { numRuns: rounds(200, 5000), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });

  it("settles after a cancel at any point, with nothing left running and nothing started after it", () => {
    fc.assert(
      fc.property(worlds, fc.infiniteStream(fc.nat()), fc.nat(25), (world, chance, when) => {
        const state = live(
          { world, disk: emptyDisk() },
          createWalk(world.dag, { startedMs: 0 }),
          () => Number(chance.next().value),
          (t) => (t === when ? "cancel" : "no"),
        );

        expect(state.log.at(-1)?.kind).toBe("settle_run");
        // Steps of `finally` are called f…: they alone still start.
        const started = state.log.slice(state.cancelledAt).filter((c) => c.kind === "dispatch");
        expect(started.map((c) => c.stepId).filter((id) => !id.startsWith("f"))).toEqual([]);
        expect([...state.walk.steps.values()].every((s) => s.end !== null)).toBe(true);
      }),
      { numRuns: rounds(300, 7500), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });

  it("settles after a cancel, a crash in the middle of it, and the cancel told again", () => {
    fc.assert(
      fc.property(
        worlds,
        fc.infiniteStream(fc.nat()),
        fc.nat(10),
        fc.nat(10),
        (world, chance, cancelAt, crashAfter) => {
          const disk = emptyDisk();
          const pick = () => Number(chance.next().value);
          const first = live({ world, disk }, createWalk(world.dag, { startedMs: 0 }), pick, (t) =>
            t === cancelAt ? "cancel" : t === cancelAt + crashAfter + 1 ? "crash" : "no",
          );
          if (!first.crashed) return;
          const ended = new Set([...disk.attempts.values()].filter((a) => a.status === "succeeded").map(key));
          const stored = restartOf(disk, 1);
          const second = live({ world, disk }, restoreWalk(world.dag, stored), pick, (t) =>
            t === 0 ? "cancel" : "no",
          );

          expect(second.log.at(-1)?.kind).toBe("settle_run");
          for (const command of second.log)
            if (command.kind === "dispatch") expect(ended.has(key(command))).toBe(false);
        },
      ),
      { numRuns: rounds(300, 7500), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });

  it("asks for the same things in the same order for the same events", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const once = live({ world, disk: emptyDisk() }, createWalk(world.dag, { startedMs: 0 }), () => 0, noStop);
        const shuffled = {
          ...world.dag,
          steps: [...world.dag.steps].reverse(),
          finally: [...world.dag.finally].reverse(),
        };
        const again = live({ world, disk: emptyDisk() }, createWalk(shuffled, { startedMs: 0 }), () => 0, noStop);

        expect(again.log).toEqual(once.log);
      }),
      { numRuns: rounds(100, 2500), interruptAfterTimeLimit: soakTimeout(8000) },
    );
  });
});
