import type { CodeName, ErrorClass } from "../base/index.ts";
import type { StepSpec } from "../spec/index.ts";
import type { AttemptStatus, StepState, StepStatus } from "./step-state.ts";

/*
 * The walk of one run through its DAG: a pure reducer that a worker drives. All scheduling is here; the worker only
 * evaluates, executes, stores and waits.
 *
 *   let { walk, commands } = createWalk(dag, { startedMs });           // or restoreWalk(dag, { startedMs, attempts, marks })
 *   for each command, in order: carry it out (see WalkCommand)
 *   for each event, one at a time: ({ walk, commands } = advance(walk, event)), carry out the commands
 *   until `settle_run`, which is the last command of a walk
 *
 * What the worker owes the walk:
 * - `attempt_ended` is fed only once the outcome is durable (WorkerSeam.report said `stored` or `duplicate`): what
 *   needs it may start at once.
 * - A `dispatch` may wait for a free host or the tenant's quota: its wait is the worker's own. A dispatch that an
 *   `abort` meets before it started is answered by `attempt_ended` with status `cancelled` and stores no row.
 * - Commands of one answer come in topological order, then by index: two workers start the same things in the same order.
 * - A cancel or a timer that comes late, or twice, is ignored. An event for an attempt that was never dispatched throws
 *   ERR_ILLEGAL_TRANSITION.
 * - Clean stop: stop driving, kill the attempts, WorkerSeam.release. Nothing is fed.
 */

/** What the walk must know besides the spec. */
export interface WalkDag {
  readonly steps: readonly StepSpec[];
  readonly finally: readonly StepSpec[];
  /** Of the run; the `finally` phase has as long again, from its own start. */
  readonly timeoutMs: number;
  /** `effects` of the plugin of each step, `finally` included. A step that is not named counts as `any`. */
  readonly effects: Readonly<Record<string, "none" | "idempotent" | "any">>;
  /** By step: the steps X whose `steps.X.status` its `when` reads (row 7: no gate for these). */
  readonly statusReads: Readonly<Record<string, readonly string[]>>;
}

export type WalkTimer =
  | { readonly kind: "retry"; readonly stepId: string; readonly index: number; readonly attempt: number }
  | { readonly kind: "run_timeout" }
  | { readonly kind: "finally_timeout" };

/** Why a run ended before its steps did. */
export type RunEnd = "cancelled" | "timed_out";

/** Answer to `evaluate`. `items` = length of forEach's list, null without forEach. */
export type Evaluation =
  | { readonly kind: "run"; readonly items: number | null }
  /** `when` is false. */
  | { readonly kind: "skip" }
  /** `when` or `forEach` failed or has the wrong type (ERR_EXPR), or has too many items (FOR_EACH_TOO_MANY). */
  | { readonly kind: "failed"; readonly class: ErrorClass; readonly code: CodeName };

export interface AttemptRef {
  readonly stepId: string;
  readonly index: number;
  /** Counts from 1. */
  readonly attempt: number;
}

export interface AttemptEnd {
  readonly status: AttemptStatus;
  readonly class: ErrorClass | null;
  readonly code: CodeName | null;
  readonly endedMs: number;
}

export type WalkEvent =
  | { readonly kind: "evaluated"; readonly stepId: string; readonly answer: Evaluation; readonly atMs: number }
  /** The attempt's outcome is durable. A dead host is status `failed`, class `lost`. */
  | ({ readonly kind: "attempt_ended" } & AttemptRef & AttemptEnd)
  /** A dispatch that became no attempt: `with` failed (ERR_EXPR, ERR_INPUT_SCHEMA), or a grant is gone. Not retried. */
  | ({
      readonly kind: "not_started";
      readonly class: ErrorClass;
      readonly code: CodeName;
      readonly atMs: number;
    } & AttemptRef)
  | { readonly kind: "due"; readonly timer: WalkTimer; readonly atMs: number }
  | { readonly kind: "cancel"; readonly atMs: number };

export type WalkCommand =
  /** Evaluate `when`, then `forEach.in`, against the outputs and statuses so far; answer with `evaluated`. */
  | { readonly kind: "evaluate"; readonly stepId: string }
  /**
   * Resolve `with` of this item (once: later attempts use the same value), then execute. `mark`: WorkerSeam.begin first,
   * for the plugin has `effects: any`, or a worker died with this run: what runs when the next one does must be known. Answer with `attempt_ended` or `not_started`.
   */
  | ({ readonly kind: "dispatch"; readonly mark: boolean } & AttemptRef)
  /**
   * Only after a rescue: the mark of a dead worker without an outcome. Store it as failed, class `lost`, code
   * LOST_OUTCOME_UNKNOWN, or SANDBOX_LOST where the plugin bears a repeat; answer with `attempt_ended`.
   */
  | ({ readonly kind: "settle_lost"; readonly startedMs: number; readonly repeatable: boolean } & AttemptRef)
  /** Answer with `due` at or after the instant. No command takes a timer back. */
  | { readonly kind: "wait"; readonly timer: WalkTimer; readonly untilMs: number }
  /** Stop it; answer with `attempt_ended` (whatever its outcome really was). */
  | ({ readonly kind: "abort"; readonly end: RunEnd } & AttemptRef)
  /** The step has ended for good. No answer. */
  | ({ readonly kind: "finish_step"; readonly stepId: string } & StepEnd)
  /** All steps have ended: `run.status` in expressions of `finally` is this from here on. No answer. */
  | { readonly kind: "start_finally"; readonly status: StepRunStatus }
  | {
      readonly kind: "settle_run";
      readonly status: StepRunStatus;
      readonly class: ErrorClass | null;
      readonly code: CodeName | null;
    };

export type StepRunStatus = "succeeded" | "failed" | "cancelled" | "timed_out";

export interface StepEnd {
  readonly status: StepStatus;
  /** lower_snake: of a skip `when`, `upstream_failed`, `upstream_skipped`, `upstream_cancelled`; of a failure without an attempt its code. */
  readonly reason: string | null;
  readonly class: ErrorClass | null;
  readonly code: CodeName | null;
  /**
   * What `steps.X.outputs` is: `value` = the output of index 0; `list` = outputs by index, null where an item has none;
   * `none` = nothing, its outputsHash is null.
   */
  readonly publishes: "value" | "list" | "none";
  /** Number of forEach items, null without forEach or where it was not evaluated. */
  readonly items: number | null;
}

export interface WalkAnswer {
  readonly walk: Walk;
  readonly commands: readonly WalkCommand[];
}

/** One item: the step itself without forEach. */
export interface WalkItem {
  readonly state: StepState;
  /** The attempt that runs, or ran last; 0 before the first. */
  readonly attempt: number;
  /** Attempts that count against maxAttempts. */
  readonly counted: number;
  /** Free repeats after `lost` so far. */
  readonly lost: number;
  readonly class: ErrorClass | null;
  readonly code: CodeName | null;
  /** Failed without an attempt of its own. */
  readonly refused: boolean;
}

export interface WalkStep {
  readonly state: StepState;
  /** An `evaluate` is under way. */
  readonly evaluating: boolean;
  /** null until its gates are open and `when` and `forEach` are evaluated. */
  readonly items: readonly WalkItem[] | null;
  readonly end: StepEnd | null;
}

export type WalkPhase = "steps" | "finally" | "settled";

/** The DAG in the order of the walk; the same object for a whole run. */
export interface WalkGraph {
  readonly dag: WalkDag;
  readonly steps: readonly StepSpec[];
  readonly finally: readonly StepSpec[];
  readonly byId: ReadonlyMap<string, StepSpec>;
  readonly finallyIds: ReadonlySet<string>;
  /** By step: row 7. */
  readonly lifted: ReadonlyMap<string, ReadonlySet<string>>;
  /** A worker died with this run. */
  readonly rescued: boolean;
}

/** The whole state of a walk: plain data, never changed in place. Only `advance` makes the next one. */
export interface Walk {
  readonly graph: WalkGraph;
  readonly phase: WalkPhase;
  /** What ended the run from outside while its steps ran. */
  readonly end: RunEnd | null;
  readonly finallyTimedOut: boolean;
  /** Status as of the end of `steps`; null before. */
  readonly status: StepRunStatus | null;
  /** By step id, `finally` included. */
  readonly steps: ReadonlyMap<string, WalkStep>;
  readonly replay: WalkReplay | null;
}

/** A stored outcome of an earlier worker, as WorkerSeam hands it over. */
export interface StoredAttempt extends AttemptRef, AttemptEnd {}

export interface StoredMark extends AttemptRef {
  readonly startedMs: number;
}

/**
 * A rescue in progress: stored outcomes answer dispatches, nothing new is dispatched and an end of the run waits until
 * all that is stored has been taken in. Else a cancel would overtake steps that had succeeded already.
 */
export interface WalkReplay {
  /** By `stepId/index/attempt`. */
  readonly attempts: ReadonlyMap<string, StoredAttempt>;
  readonly marks: ReadonlyMap<string, StoredMark>;
  /** The `finally` phase had begun: steps without an outcome had been cancelled. */
  readonly finallyBegan: RunEnd | null;
  readonly end: RunEnd | null;
  readonly finallyTimedOut: boolean;
}

export interface WalkStart {
  /** Start of the run by its first claim: its timeout counts from here, also after a rescue. */
  readonly startedMs: number;
}

export interface WalkRestart extends WalkStart {
  readonly attempts: readonly StoredAttempt[];
  readonly marks: readonly StoredMark[];
  /** Workers that died with this run. */
  readonly rescues: number;
}
