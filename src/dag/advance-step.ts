import type { StepSpec } from "../spec/index.ts";
import { decideAttempt, maxLostRepeats } from "./decide-attempt.ts";
import { decideStep, type StepDecision, type Upstream } from "./decide-step.ts";
import { nextStepState, type StepState, type StepStatus } from "./step-state.ts";
import type { AttemptEnd, AttemptRef, Evaluation, RunEnd, StepEnd, WalkItem } from "./walk.ts";
import { freshItem, isEnded, moveItem, ownStep, specOf, stepOf, type WalkDraft } from "./walk-draft.ts";

/** Moves one step as far as it can go without an answer from outside. */
export function advanceStep(draft: WalkDraft, spec: StepSpec): void {
  const step = stepOf(draft, spec.stepId);
  if (isEnded(step.state) || step.evaluating) return;
  if (step.items === null) openStep(draft, spec);
  if (stepOf(draft, spec.stepId).items === null) return;
  dispatchReady(draft, spec);
  finishWhenDone(draft, spec);
}

/** Takes in the answer to `evaluate`; one that comes after the step was cancelled is ignored. */
export function evaluated(draft: WalkDraft, stepId: string, answer: Evaluation): void {
  if (!stepOf(draft, stepId).evaluating) return;
  const spec = specOf(draft, stepId);
  ownStep(draft, stepId).evaluating = false;
  const decision = decide(draft, spec, answer);
  if (decision.kind === "run") {
    ownStep(draft, stepId).items = Array.from({ length: decision.items ?? 1 }, () => freshItem);
  } else conclude(draft, spec, decision);
}

/** Takes in the end of the attempt that runs. */
export function endAttempt(draft: WalkDraft, at: AttemptRef, end: AttemptEnd): void {
  const spec = specOf(draft, at.stepId);
  const cause = { class: end.class, code: end.code };
  if (end.status === "succeeded" || end.status === "cancelled") {
    moveItem(draft, at, end.status, cause);
    return;
  }
  const item = stepOf(draft, at.stepId).items?.[at.index] ?? freshItem;
  const bearing = { effects: effectsOf(draft, at.stepId), lostRepeats: lostRepeatsOf(draft, at) };
  const decision = decideAttempt(end, item, spec.retry, bearing);
  if (decision.kind === "end") moveItem(draft, at, end.status, { class: decision.class, code: decision.code });
  else if (isClosing(draft)) moveItem(draft, at, end.status, cause);
  else scheduleRetry(draft, at, { ...decision.history, ...cause }, end.endedMs + decision.waitMs);
}

const effectsOf = (draft: WalkDraft, stepId: string): "none" | "idempotent" | "any" =>
  draft.graph.dag.effects[stepId] ?? "any";

// The first worker marks no step that bears a repeat, so its death may have been any step's own doing: it counts as one
// of the repeats of each. What was repeated already before that death stays repeated.
function lostRepeatsOf(draft: WalkDraft, at: AttemptRef): number {
  return draft.graph.rescued && !hasNext(draft, at) ? maxLostRepeats - 1 : maxLostRepeats;
}

/** The attempt after this one is stored or had begun. */
function hasNext({ replay }: WalkDraft, at: AttemptRef): boolean {
  const next = attemptKey({ ...at, attempt: at.attempt + 1 });
  return replay !== null && (replay.attempts.has(next) || replay.marks.has(next));
}

/** Ends all of a phase that has not ended: what runs is told to stop and ends with its own answer. */
export function cancelSteps(draft: WalkDraft, specs: readonly StepSpec[], end: RunEnd): void {
  for (const spec of specs) {
    const step = stepOf(draft, spec.stepId);
    if (isEnded(step.state)) continue;
    if (step.items === null) {
      conclude(draft, spec, { kind: "cancel" });
      continue;
    }
    for (const [index, item] of step.items.entries()) {
      if (item.state === "running") {
        draft.commands.push({ kind: "abort", stepId: spec.stepId, index, attempt: item.attempt, end });
      } else if (!isEnded(item.state)) moveItem(draft, { stepId: spec.stepId, index }, "cancelled");
    }
    finishWhenDone(draft, spec);
  }
}

export const attemptKey = ({ stepId, index, attempt }: AttemptRef): string => `${stepId}/${index}/${attempt}`;

function openStep(draft: WalkDraft, spec: StepSpec): void {
  const decision = decide(draft, spec, null);
  if (decision.kind === "wait") return;
  if (decision.kind !== "evaluate") {
    conclude(draft, spec, decision);
    return;
  }
  const step = ownStep(draft, spec.stepId);
  step.state = nextStepState(step.state, "opened");
  if (spec.when === null && spec.forEach === null) step.items = [freshItem];
  else {
    step.evaluating = true;
    draft.commands.push({ kind: "evaluate", stepId: spec.stepId });
  }
}

function decide(draft: WalkDraft, spec: StepSpec, evaluation: Evaluation | null): StepDecision {
  return decideStep({
    upstream: { get: (id) => upstreamOf(draft, id) },
    needs: spec.needs,
    lifted: draft.graph.lifted.get(spec.stepId) ?? nothingLifted,
    ended: isClosing(draft),
    evaluation,
    maxItems: spec.forEach?.maxItems ?? null,
  });
}

const nothingLifted: ReadonlySet<string> = new Set();

// A step of `finally` that needs a step proper is not gated by it: that phase runs whatever happened.
function upstreamOf(draft: WalkDraft, id: string): Upstream | undefined {
  const spec = draft.graph.byId.get(id);
  const isPeer = draft.graph.finallyIds.has(id) === (draft.phase === "finally");
  if (spec === undefined || !isPeer) return undefined;
  return { status: stepOf(draft, id).end?.status ?? null, continueOnError: spec.continueOnError };
}

/** No new attempt may start in this phase. */
const isClosing = (draft: WalkDraft): boolean =>
  draft.phase === "finally" ? draft.finallyTimedOut : draft.end !== null;

function dispatchReady(draft: WalkDraft, spec: StepSpec): void {
  const items = ownStep(draft, spec.stepId).items ?? [];
  const limit = spec.forEach?.maxParallel ?? Number.POSITIVE_INFINITY;
  let running = items.filter((item) => item.state === "running").length;
  for (let index = 0; index < items.length; index++) {
    if (draft.replay === null && running >= limit) break;
    const attempt = (items[index]?.attempt ?? 0) + 1;
    if (items[index]?.state !== "ready") continue;
    if (draft.replay !== null) replayItem(draft, { stepId: spec.stepId, index, attempt });
    else {
      dispatch(draft, { stepId: spec.stepId, index, attempt });
      running += 1;
    }
  }
}

function dispatch(draft: WalkDraft, at: AttemptRef): void {
  moveItem(draft, at, "dispatched", { attempt: at.attempt });
  const mark = draft.graph.rescued || effectsOf(draft, at.stepId) === "any";
  draft.commands.push({ kind: "dispatch", ...at, mark });
}

// Takes in all that is stored of one item; what is not stored stays `ready` until the replay is over.
function replayItem(draft: WalkDraft, first: AttemptRef): void {
  for (let at = first; ; at = { ...at, attempt: at.attempt + 1 }) {
    const stored = draft.replay?.attempts.get(attemptKey(at));
    const mark = draft.replay?.marks.get(attemptKey(at));
    if (stored === undefined && mark === undefined) return;
    moveItem(draft, at, "dispatched", { attempt: at.attempt });
    if (stored === undefined) {
      const repeatable = effectsOf(draft, at.stepId) !== "any";
      draft.commands.push({ kind: "settle_lost", ...at, startedMs: mark?.startedMs ?? draft.nowMs, repeatable });
      return;
    }
    draft.nowMs = Math.max(draft.nowMs, stored.endedMs);
    endAttempt(draft, at, stored);
    if (stepOf(draft, at.stepId).items?.[at.index]?.state !== "ready") return;
  }
}

function scheduleRetry(draft: WalkDraft, at: AttemptRef, facts: Partial<WalkItem>, untilMs: number): void {
  moveItem(draft, at, "retry_scheduled", facts);
  if (hasNext(draft, at)) {
    moveItem(draft, at, "retry_due");
    return;
  }
  const timer = { kind: "retry", stepId: at.stepId, index: at.index, attempt: at.attempt } as const;
  draft.commands.push({ kind: "wait", timer, untilMs });
}

function conclude(draft: WalkDraft, spec: StepSpec, decision: StepDecision): void {
  const nothing = { class: null, code: null, publishes: "none", items: null } as const;
  if (decision.kind === "cancel") finish(draft, spec, { status: "cancelled", reason: null, ...nothing });
  if (decision.kind === "skip") finish(draft, spec, { status: "skipped", reason: decision.reason, ...nothing });
  if (decision.kind !== "fail") return;
  const cause = { class: decision.class, code: decision.code, reason: decision.code.toLowerCase() };
  finish(draft, spec, { status: "failed", publishes: "none", items: null, ...cause });
}

function finish(draft: WalkDraft, spec: StepSpec, end: StepEnd): void {
  const step = ownStep(draft, spec.stepId);
  step.state = step.items === null ? nextStepState(step.state, end.status) : end.status;
  step.evaluating = false;
  step.end = end;
  draft.commands.push({ kind: "finish_step", stepId: spec.stepId, ...end });
}

function finishWhenDone(draft: WalkDraft, spec: StepSpec): void {
  const step = ownStep(draft, spec.stepId);
  const items = step.items ?? [];
  const active = activeState(items);
  if (active !== null) step.state = active;
  else finish(draft, spec, endOf(spec, items));
}

// The step of many items shows the liveliest of them.
function activeState(items: readonly WalkItem[]): StepState | null {
  const states = new Set(items.map((item) => item.state));
  return (["running", "ready", "waiting_retry"] as const).find((state) => states.has(state)) ?? null;
}

// Row 11: items go on when one fails; the first that failed names the cause.
function endOf(spec: StepSpec, items: readonly WalkItem[]): StepEnd {
  const states = new Set(items.map((item) => item.state));
  const status = (["cancelled", "failed", "timed_out"] as const).find((state) => states.has(state)) ?? "succeeded";
  const first = items.find((item) => item.state === status);
  const cause = status === "succeeded" ? undefined : first;
  return {
    status,
    reason: cause?.refused === true ? (cause.code?.toLowerCase() ?? null) : null,
    class: cause?.class ?? null,
    code: cause?.code ?? null,
    publishes: publishesOf(spec, status),
    items: spec.forEach === null ? null : items.length,
  };
}

function publishesOf(spec: StepSpec, status: StepStatus): StepEnd["publishes"] {
  if (spec.forEach === null) return status === "succeeded" ? "value" : "none";
  const lenient = spec.continueOnError && (status === "failed" || status === "timed_out");
  return status === "succeeded" || lenient ? "list" : "none";
}
