import type { CodeName, ErrorClass } from "../base/index.ts";
import type { StepStatus } from "./step-state.ts";
import type { Evaluation, RunEnd, StepRunStatus } from "./walk.ts";

/** One need as its dependent sees it; `status` null = it has not ended. */
export interface Upstream {
  readonly status: StepStatus | null;
  readonly continueOnError: boolean;
}

export interface StepSituation {
  /** By step id. A need that is not here gates nothing (a `finally` step that names a step proper). */
  readonly upstream: { get(stepId: string): Upstream | undefined };
  readonly needs: readonly string[];
  /** The steps whose `.status` its own `when` reads. */
  readonly lifted: ReadonlySet<string>;
  /** The run was cancelled or has timed out (never asked of a `finally` step). */
  readonly ended: boolean;
  /** null = not evaluated yet. */
  readonly evaluation: Evaluation | null;
  /** forEach.maxItems; null without forEach. */
  readonly maxItems: number | null;
}

export type SkipReason = "when" | "upstream_failed" | "upstream_skipped" | "upstream_cancelled";

export type StepDecision =
  | { readonly kind: "wait" }
  | { readonly kind: "cancel" }
  | { readonly kind: "skip"; readonly reason: SkipReason }
  /** Its gates are open: `when` and `forEach` are to be evaluated. */
  | { readonly kind: "evaluate" }
  | { readonly kind: "fail"; readonly class: ErrorClass; readonly code: CodeName }
  /** `items` 0 (forEach over an empty list) is a success without an attempt; null = no forEach. */
  | { readonly kind: "run"; readonly items: number | null };

/**
 * The truth table of steps (docs/state-machines.md, rows 1 to 10) as one total function. Row 9 first: a run that ended asks no
 * `when`; row 8: all needs must have ended before any gate speaks.
 */
export function decideStep(situation: StepSituation): StepDecision {
  if (situation.ended) return { kind: "cancel" };
  if (situation.needs.some((id) => situation.upstream.get(id)?.status === null)) return { kind: "wait" };
  const needs = situation.needs.flatMap((id) => {
    const need = situation.upstream.get(id);
    return need === undefined ? [] : [{ id, ...need }];
  });
  const reason = gateOf(needs.filter((need) => !situation.lifted.has(need.id)));
  if (reason !== null) return { kind: "skip", reason };
  return situation.evaluation === null
    ? { kind: "evaluate" }
    : decideEvaluated(situation.evaluation, situation.maxItems);
}

function gateOf(needs: readonly Upstream[]): SkipReason | null {
  if (needs.some((need) => need.status === "cancelled")) return "upstream_cancelled";
  if (needs.some((need) => isFailure(need.status) && !need.continueOnError)) return "upstream_failed";
  if (needs.some((need) => need.status === "skipped")) return "upstream_skipped";
  return null;
}

function decideEvaluated(evaluation: Evaluation, maxItems: number | null): StepDecision {
  switch (evaluation.kind) {
    case "skip":
      return { kind: "skip", reason: "when" };
    case "failed":
      return { kind: "fail", class: evaluation.class, code: evaluation.code };
    case "run":
      if (maxItems === null) return { kind: "run", items: null };
      if (!isCount(evaluation.items)) return { kind: "fail", class: "permanent", code: "ERR_EXPR" };
      return evaluation.items > maxItems
        ? { kind: "fail", class: "resource", code: "FOR_EACH_TOO_MANY" }
        : { kind: "run", items: evaluation.items };
  }
}

const isCount = (items: number | null): items is number => Number.isSafeInteger(items) && (items ?? -1) >= 0;

const isFailure = (status: StepStatus | null): boolean => status === "failed" || status === "timed_out";

/**
 * Status of a run from its steps: what ended it from outside first, else failed where a step without continueOnError
 * did not come to its end, else succeeded.
 */
export function runStatusOf(
  end: RunEnd | null,
  steps: readonly { readonly status: StepStatus; readonly continueOnError: boolean }[],
): StepRunStatus {
  if (end !== null) return end;
  return steps.some((step) => breaksRun(step.status, step.continueOnError)) ? "failed" : "succeeded";
}

/** Whether a step that ended so makes its run fail. */
export const breaksRun = (status: StepStatus, continueOnError: boolean): boolean =>
  (isFailure(status) && !continueOnError) || status === "cancelled";
