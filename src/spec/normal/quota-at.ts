import type { UtcText } from "../../base/index.ts";
import type { Quota, QuotaLimits, QuotaOverride } from "./tenant-spec.ts";

/** What a quota says at an instant: overrides that have not ended lie over it, field by field, later entries on top. */
export function effectiveQuotaAt(quota: Quota, at: Date): QuotaLimits {
  const { overrides, ...spec } = quota;
  return activeOverrides(quota, at).reduce<QuotaLimits>((under, { limits }) => over(under, limits), spec);
}

/** Those that have not ended, in the order of the file. */
const activeOverrides = ({ overrides }: Quota, at: Date): readonly QuotaOverride[] =>
  overrides.filter(({ until }) => Date.parse(until) > at.getTime());

export interface QuotaSegment {
  /** Where the next one begins; null = the last. */
  readonly until: UtcText | null;
  readonly limits: QuotaLimits;
}

/** The quota from an instant on, as stretches between which an override ends: the first holds now. */
export function quotaSegments(quota: Quota, from: Date): readonly QuotaSegment[] {
  const ends = [...new Set(activeOverrides(quota, from).map(({ until }) => until))].sort();
  const starts = [from, ...ends.map((end) => new Date(end))];
  return starts.map((start, i) => ({ until: ends[i] ?? null, limits: effectiveQuotaAt(quota, start) }));
}

/** Tells apart what holds before and after the end of an override. Empty where none holds. */
export function overrideMark(quota: Quota, at: Date): string {
  const active = activeOverrides(quota, at);
  return active.length === 0 ? "" : `:overrides=${active.map(({ until }) => until).join(",")}`;
}

function over(under: QuotaLimits, limits: QuotaOverride["limits"]): QuotaLimits {
  return {
    weight: limits.weight ?? under.weight,
    runs: { ...under.runs, ...limits.runs },
    steps: { ...under.steps, ...limits.steps },
    perStep: { ...under.perStep, ...limits.perStep },
    perDay: { ...under.perDay, ...limits.perDay },
    minIntervalMs: limits.minIntervalMs ?? under.minIntervalMs,
  };
}
