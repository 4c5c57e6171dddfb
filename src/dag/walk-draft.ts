import { Fault } from "../base/index.ts";
import type { StepSpec } from "../spec/index.ts";
import { nextStepState, type StepEvent, type StepState } from "./step-state.ts";
import type { StepEnd, Walk, WalkAnswer, WalkCommand, WalkItem, WalkStep } from "./walk.ts";

/** The next walk while it is made: its steps are copied before the first change, the walk before it never changes. */
export interface WalkDraft {
  readonly graph: Walk["graph"];
  phase: Walk["phase"];
  end: Walk["end"];
  finallyTimedOut: boolean;
  status: Walk["status"];
  replay: Walk["replay"];
  /** The instant of the event, or of the newest stored outcome taken in. */
  nowMs: number;
  readonly steps: Map<string, WalkStep>;
  readonly owned: Map<string, DraftStep>;
  readonly commands: WalkCommand[];
}

export interface DraftStep {
  state: StepState;
  evaluating: boolean;
  items: WalkItem[] | null;
  end: StepEnd | null;
}

export const openDraft = (walk: Walk, nowMs: number): WalkDraft => ({
  graph: walk.graph,
  phase: walk.phase,
  end: walk.end,
  finallyTimedOut: walk.finallyTimedOut,
  status: walk.status,
  replay: walk.replay,
  nowMs,
  steps: new Map(walk.steps),
  owned: new Map(),
  commands: [],
});

export const closeDraft = (draft: WalkDraft): WalkAnswer => ({
  walk: {
    graph: draft.graph,
    phase: draft.phase,
    end: draft.end,
    finallyTimedOut: draft.finallyTimedOut,
    status: draft.status,
    steps: draft.steps,
    replay: draft.replay,
  },
  commands: draft.commands,
});

/** The step to read. Throws for an id that is not of this DAG. */
export function stepOf(draft: WalkDraft, stepId: string): WalkStep {
  const step = draft.steps.get(stepId);
  if (step === undefined) throw illegal(`no step ${stepId} in this walk`);
  return step;
}

/** The step to write: copied once per draft. */
export function ownStep(draft: WalkDraft, stepId: string): DraftStep {
  const owned = draft.owned.get(stepId);
  if (owned !== undefined) return owned;
  const step = stepOf(draft, stepId);
  const copy = { ...step, items: step.items === null ? null : [...step.items] };
  draft.owned.set(stepId, copy);
  draft.steps.set(stepId, copy);
  return copy;
}

export function specOf(draft: WalkDraft, stepId: string): StepSpec {
  const spec = draft.graph.byId.get(stepId);
  if (spec === undefined) throw illegal(`no step ${stepId} in this walk`);
  return spec;
}

export const freshItem: WalkItem = {
  state: "ready",
  attempt: 0,
  counted: 0,
  lost: 0,
  class: null,
  code: null,
  refused: false,
};

/** Moves one item through the table; `facts` go with it. */
export function moveItem(
  draft: WalkDraft,
  at: { readonly stepId: string; readonly index: number },
  event: StepEvent,
  facts: Partial<Omit<WalkItem, "state">> = {},
): void {
  const step = ownStep(draft, at.stepId);
  const item = step.items?.[at.index];
  if (step.items === null || item === undefined) throw illegal(`no item ${at.index} of ${at.stepId}`);
  step.items[at.index] = { ...item, ...facts, state: nextStepState(item.state, event) };
}

const endedStates: ReadonlySet<StepState> = new Set(["succeeded", "failed", "skipped", "cancelled", "timed_out"]);

export const isEnded = (state: StepState): boolean => endedStates.has(state);

export const illegal = (message: string): Fault => new Fault("ERR_ILLEGAL_TRANSITION", message);
