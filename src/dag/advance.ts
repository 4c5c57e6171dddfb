import { Fault } from "../base/index.ts";
import type { StepSpec } from "../spec/index.ts";
import { advanceStep, attemptKey, cancelSteps, endAttempt, evaluated } from "./advance-step.ts";
import { breaksRun, runStatusOf } from "./decide-step.ts";
import { topologicalOrder } from "./topological-order.ts";
import type {
  AttemptRef,
  RunEnd,
  StepEnd,
  StepRunStatus,
  Walk,
  WalkAnswer,
  WalkDag,
  WalkEvent,
  WalkGraph,
  WalkReplay,
  WalkRestart,
  WalkStart,
  WalkStep,
  WalkTimer,
} from "./walk.ts";
import { closeDraft, illegal, isEnded, moveItem, openDraft, stepOf, type WalkDraft } from "./walk-draft.ts";

/** A walk at its start, with its first commands. Throws DAG_CYCLE: no spec that was applied has one. */
export function createWalk(dag: WalkDag, start: WalkStart): WalkAnswer {
  return startWalk(graphOf(dag, false), start, null);
}

/**
 * The walk of a run that another worker left: it goes on from what is stored. Expressions are evaluated again (their
 * inputs are stored, so their results are the same); stored attempts are not executed again; a mark without an outcome
 * comes back as `settle_lost`.
 */
export function restoreWalk(dag: WalkDag, restart: WalkRestart): WalkAnswer {
  const attempts = new Map(restart.attempts.map((attempt) => [attemptKey(attempt), attempt]));
  const marks = new Map(restart.marks.map((mark) => [attemptKey(mark), mark]));
  const finallyBegan = endBefore(dag, restart);
  return startWalk(graphOf(dag, restart.rescues > 0), restart, {
    attempts,
    marks,
    finallyBegan,
    end: null,
    finallyTimedOut: false,
  });
}

/** The walk after one event, and what is to be done now. A settled walk answers nothing to anything. */
export function advance(walk: Walk, event: WalkEvent): WalkAnswer {
  if (walk.phase === "settled") return { walk, commands: [] };
  const draft = openDraft(walk, event.kind === "attempt_ended" ? event.endedMs : event.atMs);
  apply(draft, event);
  progress(draft);
  return closeDraft(draft);
}

function startWalk(graph: WalkGraph, { startedMs }: WalkStart, replay: WalkReplay | null): WalkAnswer {
  const pending: WalkStep = { state: "pending", evaluating: false, items: null, end: null };
  const steps = new Map([...graph.steps, ...graph.finally].map((spec) => [spec.stepId, pending]));
  const walk: Walk = { graph, phase: "steps", end: null, finallyTimedOut: false, status: null, steps, replay };
  const draft = openDraft(walk, startedMs);
  draft.commands.push({ kind: "wait", timer: { kind: "run_timeout" }, untilMs: startedMs + graph.dag.timeoutMs });
  progress(draft);
  return closeDraft(draft);
}

function graphOf(dag: WalkDag, rescued: boolean): WalkGraph {
  const byId = new Map([...dag.steps, ...dag.finally].map((spec) => [spec.stepId, spec]));
  const ordered = (specs: readonly StepSpec[]): readonly StepSpec[] => {
    const order = topologicalOrder(specs);
    if (order.kind === "cycle") throw new Fault("DAG_CYCLE", `steps need each other: ${order.path.join(" -> ")}`);
    return order.stepIds.flatMap((id) => byId.get(id) ?? []);
  };
  const finallyIds = new Set(dag.finally.map((spec) => spec.stepId));
  const lifted = new Map(Object.entries(dag.statusReads).map(([stepId, reads]) => [stepId, new Set(reads)]));
  return { dag, steps: ordered(dag.steps), finally: ordered(dag.finally), byId, finallyIds, lifted, rescued };
}

// An outcome of `finally` proves that the steps were over: those without an outcome had been cancelled, by the clock
// where it had run out by then.
function endBefore(dag: WalkDag, { startedMs, attempts, marks }: WalkRestart): RunEnd | null {
  const last = new Set(dag.finally.map((spec) => spec.stepId));
  const instants = [
    ...attempts.filter((attempt) => last.has(attempt.stepId)).map((attempt) => attempt.endedMs),
    ...marks.filter((mark) => last.has(mark.stepId)).map((mark) => mark.startedMs),
  ];
  if (instants.length === 0) return null;
  return Math.min(...instants) >= startedMs + dag.timeoutMs ? "timed_out" : "cancelled";
}

function apply(draft: WalkDraft, event: WalkEvent): void {
  switch (event.kind) {
    case "evaluated":
      evaluated(draft, event.stepId, event.answer);
      return;
    case "attempt_ended":
      if (isRunning(draft, event)) endAttempt(draft, event, event);
      return;
    case "not_started": {
      const refusal = { class: event.class, code: event.code, refused: true };
      if (isRunning(draft, event)) moveItem(draft, event, "failed", refusal);
      return;
    }
    case "due":
      due(draft, event.timer);
      return;
    case "cancel":
      endRun(draft, "cancelled");
  }
}

// False = told twice; an attempt that was never dispatched is our own bug.
function isRunning(draft: WalkDraft, at: AttemptRef): boolean {
  const item = stepOf(draft, at.stepId).items?.[at.index];
  if (item === undefined || at.attempt > item.attempt) throw illegal(`attempt ${attemptKey(at)} was never dispatched`);
  return item.state === "running" && item.attempt === at.attempt;
}

function due(draft: WalkDraft, timer: WalkTimer): void {
  switch (timer.kind) {
    case "run_timeout":
      endRun(draft, "timed_out");
      return;
    case "finally_timeout":
      if (draft.replay === null) timeOutFinally(draft);
      else draft.replay = { ...draft.replay, finallyTimedOut: true };
      return;
    case "retry": {
      const item = stepOf(draft, timer.stepId).items?.[timer.index];
      // Late: the item was cancelled meanwhile, or this is the timer of an earlier attempt.
      if (item?.state === "waiting_retry" && item.attempt === timer.attempt) moveItem(draft, timer, "retry_due");
    }
  }
}

// The first end counts. Once `finally` runs the run's status stands: a cancel then is too late.
function endRun(draft: WalkDraft, end: RunEnd): void {
  if (draft.phase !== "steps" || draft.end !== null) return;
  if (draft.replay !== null) {
    draft.replay = { ...draft.replay, end: draft.replay.end ?? end };
    return;
  }
  draft.end = end;
  cancelSteps(draft, draft.graph.steps, end);
}

function timeOutFinally(draft: WalkDraft): void {
  if (draft.phase !== "finally" || draft.finallyTimedOut) return;
  draft.finallyTimedOut = true;
  cancelSteps(draft, draft.graph.finally, "timed_out");
}

/** Moves everything as far as it goes: one pass in topological order opens all that an end has opened. */
function progress(draft: WalkDraft): void {
  for (;;) {
    const specs = draft.phase === "finally" ? draft.graph.finally : draft.graph.steps;
    for (const spec of specs) advanceStep(draft, spec);
    if (specs.every((spec) => isEnded(stepOf(draft, spec.stepId).state))) endPhase(draft);
    else if (!endReplay(draft)) return;
    if (draft.phase === "settled") return;
  }
}

function endPhase(draft: WalkDraft): void {
  if (draft.phase === "steps") {
    draft.status = runStatusOf(draft.end, endsOf(draft, draft.graph.steps));
    if (draft.graph.finally.length > 0) {
      draft.phase = "finally";
      draft.commands.push({ kind: "start_finally", status: draft.status });
      const untilMs = draft.nowMs + draft.graph.dag.timeoutMs;
      draft.commands.push({ kind: "wait", timer: { kind: "finally_timeout" }, untilMs });
      return;
    }
  }
  draft.phase = "settled";
  draft.replay = null;
  draft.commands.push({ kind: "settle_run", ...settlementOf(draft) });
}

/** True where something changed: all that was stored is taken in, and what waited for that may go on. */
function endReplay(draft: WalkDraft): boolean {
  const { replay } = draft;
  if (replay === null || [...draft.steps.values()].some((step) => step.evaluating || step.state === "running")) {
    return false;
  }
  const end = draft.phase === "steps" ? (replay.end ?? replay.finallyBegan) : null;
  if (end !== null && draft.end === null) {
    draft.end = end;
    cancelSteps(draft, draft.graph.steps, end);
    return true;
  }
  draft.replay = null;
  if (draft.phase === "finally" && replay.finallyTimedOut) timeOutFinally(draft);
  return true;
}

const endsOf = (draft: WalkDraft, specs: readonly StepSpec[]): readonly EndedStep[] =>
  specs.flatMap((spec) => {
    const end = stepOf(draft, spec.stepId).end;
    return end === null ? [] : [{ ...end, continueOnError: spec.continueOnError }];
  });

type EndedStep = StepEnd & { readonly continueOnError: boolean };

function settlementOf(draft: WalkDraft): Settled {
  if (draft.status === "cancelled") return { status: "cancelled", class: "cancelled", code: "RUN_CANCELLED" };
  if (draft.status === "timed_out") return { status: "timed_out", class: "timeout", code: "RUN_TIMEOUT" };
  const failed = firstBreach(draft, draft.graph.steps) ?? firstBreach(draft, draft.graph.finally);
  if (draft.finallyTimedOut && draft.status === "succeeded") {
    return { status: "failed", class: "timeout", code: "RUN_TIMEOUT" };
  }
  if (failed === null) return { status: "succeeded", class: null, code: null };
  return { status: "failed", class: failed.class, code: failed.code };
}

interface Settled {
  readonly status: StepRunStatus;
  readonly class: StepEnd["class"];
  readonly code: StepEnd["code"];
}

// In topological order, so that two workers name the same cause.
const firstBreach = (draft: WalkDraft, specs: readonly StepSpec[]): EndedStep | null =>
  endsOf(draft, specs).find((step) => breaksRun(step.status, step.continueOnError)) ?? null;
