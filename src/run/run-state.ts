import { Fault } from "../base/index.ts";

export type RunState = "queued" | "running" | "paused" | "succeeded" | "failed" | "cancelled" | "timed_out";

export type RunEvent =
  | "claimed"
  /** Its worker gave it back, or was found dead: it waits again with its tag. */
  | "given_back"
  | "paused"
  | "resumed"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "timed_out";

const ended = {
  claimed: "illegal",
  // The worker that was found dead comes back: its fence is stale, its word means nothing.
  given_back: "ignored",
  paused: "ignored",
  resumed: "ignored",
  succeeded: "illegal",
  failed: "illegal",
  cancelled: "ignored",
  timed_out: "ignored",
} as const;

/** The total table of a run. Drawn in docs/state-machines.md. A finished run is immutable. */
export const runTransitions = {
  queued: {
    claimed: "running",
    given_back: "ignored",
    paused: "illegal",
    resumed: "illegal",
    succeeded: "illegal",
    failed: "illegal",
    cancelled: "cancelled",
    timed_out: "timed_out",
  },
  running: {
    claimed: "illegal",
    given_back: "queued",
    paused: "paused",
    resumed: "ignored",
    succeeded: "succeeded",
    failed: "failed",
    cancelled: "cancelled",
    timed_out: "timed_out",
  },
  paused: {
    claimed: "illegal",
    given_back: "ignored",
    paused: "ignored",
    resumed: "running",
    succeeded: "succeeded",
    failed: "failed",
    cancelled: "cancelled",
    timed_out: "timed_out",
  },
  succeeded: ended,
  failed: ended,
  cancelled: ended,
  timed_out: ended,
} as const satisfies Record<RunState, Record<RunEvent, RunState | "ignored" | "illegal">>;

/** The next state; the same one where the event is ignored. Throws ERR_ILLEGAL_TRANSITION: our own invariant broke. */
export function nextRunState(state: RunState, event: RunEvent): RunState {
  const next = runTransitions[state][event];
  if (next === "ignored") return state;
  if (next === "illegal") {
    throw new Fault("ERR_ILLEGAL_TRANSITION", `run: ${event} in state ${state}`, { fields: { state, event } });
  }
  return next;
}
