import { backoffMs, type CodeName, type ErrorClass } from "../base/index.ts";
import type { RetrySpec } from "../spec/index.ts";
import type { AttemptEnd } from "./walk.ts";

/** Free repeats of a lost attempt; a step that kills its host each time must end. */
export const maxLostRepeats = 3;

export interface AttemptHistory {
  /** Attempts before this one that count against maxAttempts. */
  readonly counted: number;
  /** Free repeats after `lost` before this one. */
  readonly lost: number;
}

export interface StepBearing {
  readonly effects: "none" | "idempotent" | "any";
  /** Free repeats after `lost`, at most. */
  readonly lostRepeats: number;
}

export type AttemptDecision =
  | { readonly kind: "end"; readonly class: ErrorClass | null; readonly code: CodeName | null }
  | { readonly kind: "retry"; readonly waitMs: number; readonly history: AttemptHistory };

/**
 * What follows an attempt that failed or timed out. `lost` is repeated without being counted, at most 3 times, where
 * the plugin can bear it (effects none or idempotent). Where it cannot, the outcome is unknown and the step fails,
 * unless its own `retry.errors` names `lost`: then it is an attempt like any other.
 */
export function decideAttempt(
  end: AttemptEnd,
  history: AttemptHistory,
  retry: RetrySpec,
  { effects, lostRepeats }: StepBearing,
): AttemptDecision {
  const errorClass = end.class ?? (end.status === "timed_out" ? "timeout" : "internal");
  const consents = retry.errors.includes(errorClass);
  if (errorClass === "lost" && effects !== "any" && history.lost < lostRepeats) {
    const lost = history.lost + 1;
    return { kind: "retry", waitMs: waitAfter(lost, retry), history: { ...history, lost } };
  }
  if (errorClass === "lost" && effects === "any" && !consents) {
    return { kind: "end", class: "lost", code: "LOST_OUTCOME_UNKNOWN" };
  }
  const counted = history.counted + 1;
  return consents && counted < retry.maxAttempts
    ? { kind: "retry", waitMs: waitAfter(counted, retry), history: { ...history, counted } }
    : { kind: "end", class: errorClass, code: end.code };
}

const waitAfter = (attempt: number, retry: RetrySpec): number =>
  backoffMs(attempt, { firstMs: retry.backoffMs, factor: retry.factor, maxMs: retry.maxBackoffMs });
