import { Fault } from "../base/index.ts";

export type StepState =
  | "pending"
  | "ready"
  | "running"
  | "waiting_retry"
  | "succeeded"
  | "failed"
  | "skipped"
  | "cancelled"
  | "timed_out";

export type StepEvent =
  /** Every need has ended and no gate is shut. */
  | "opened"
  /** `when` is false, or an upstream gate is shut. */
  | "skipped"
  | "dispatched"
  | "retry_scheduled"
  | "retry_due"
  | "succeeded"
  | "failed"
  | "timed_out"
  /** The run ended before the step did. */
  | "cancelled";

/** How a step ended. */
export type StepStatus = "succeeded" | "failed" | "skipped" | "cancelled" | "timed_out";
/** How one attempt ended. */
export type AttemptStatus = Exclude<StepStatus, "skipped">;

const ended = {
  opened: "illegal",
  skipped: "illegal",
  dispatched: "illegal",
  retry_scheduled: "illegal",
  // A timer that fires after a cancel, a cancel that comes after the end: late, not wrong.
  retry_due: "ignored",
  succeeded: "illegal",
  failed: "illegal",
  timed_out: "illegal",
  cancelled: "ignored",
} as const;

/**
 * The total table of a step, and of each item of a forEach step (which starts `ready`). Drawn in
 * docs/state-machines.md. `failed` from `ready`: an expression failed, or the start was refused. `succeeded` from
 * `ready`: forEach over an empty list.
 */
export const stepTransitions = {
  pending: {
    opened: "ready",
    skipped: "skipped",
    dispatched: "illegal",
    retry_scheduled: "illegal",
    retry_due: "illegal",
    succeeded: "illegal",
    failed: "illegal",
    timed_out: "illegal",
    cancelled: "cancelled",
  },
  ready: {
    opened: "illegal",
    skipped: "skipped",
    dispatched: "running",
    retry_scheduled: "illegal",
    retry_due: "illegal",
    succeeded: "succeeded",
    failed: "failed",
    timed_out: "illegal",
    cancelled: "cancelled",
  },
  running: {
    opened: "illegal",
    skipped: "illegal",
    dispatched: "illegal",
    retry_scheduled: "waiting_retry",
    retry_due: "illegal",
    succeeded: "succeeded",
    failed: "failed",
    timed_out: "timed_out",
    cancelled: "cancelled",
  },
  waiting_retry: {
    opened: "illegal",
    skipped: "illegal",
    dispatched: "illegal",
    retry_scheduled: "illegal",
    retry_due: "ready",
    succeeded: "illegal",
    failed: "illegal",
    timed_out: "illegal",
    cancelled: "cancelled",
  },
  succeeded: ended,
  failed: ended,
  skipped: ended,
  cancelled: ended,
  timed_out: ended,
} as const satisfies Record<StepState, Record<StepEvent, StepState | "ignored" | "illegal">>;

/** The next state; the same one where the event is ignored. Throws ERR_ILLEGAL_TRANSITION: our own invariant broke. */
export function nextStepState(state: StepState, event: StepEvent): StepState {
  const next = stepTransitions[state][event];
  if (next === "ignored") return state;
  if (next === "illegal") {
    throw new Fault("ERR_ILLEGAL_TRANSITION", `step: ${event} in state ${state}`, { fields: { state, event } });
  }
  return next;
}
