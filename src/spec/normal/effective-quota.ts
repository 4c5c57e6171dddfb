import type { UtcText } from "../../base/index.ts";
import { defaults } from "./defaults.ts";
import type { Quota, QuotaLimits, QuotaOverride } from "./tenant-spec.ts";

interface NormalLimits {
  readonly weight?: number;
  readonly runs?: { readonly maxConcurrent?: number; readonly maxQueued?: number; readonly startsPerHour?: number };
  readonly steps?: { readonly maxConcurrent?: number };
  readonly perStep?: {
    readonly memory?: number;
    readonly cpuTime?: number;
    readonly timeout?: number;
    readonly scratch?: number;
    readonly output?: number;
  };
  readonly perDay?: { readonly cpuTime?: number; readonly artifacts?: number };
  readonly minInterval?: number;
}

interface NormalQuota extends NormalLimits {
  readonly overrides?: readonly (NormalLimits & { readonly until: UtcText; readonly rationale: string })[];
}

/** Reads the stored normal form and fills in every default; null = the tenant has no quota.yaml. */
export function effectiveQuota(specText: string | null): Quota {
  const spec = specText === null ? {} : (JSON.parse(specText) as { readonly spec: NormalQuota }).spec;
  const { quota } = defaults;
  return {
    weight: spec.weight ?? quota.weight,
    runs: runsOf(spec.runs ?? {}),
    steps: { maxConcurrent: spec.steps?.maxConcurrent ?? quota.maxConcurrentSteps },
    perStep: { ...quota.perStep, ...perStepOf(spec.perStep ?? {}) },
    perDay: { cpuTimeMs: null, artifactBytes: null, ...perDayOf(spec.perDay ?? {}) },
    minIntervalMs: spec.minInterval ?? quota.minIntervalMs,
    overrides: (spec.overrides ?? []).map(overrideOf),
  };
}

function runsOf(runs: NonNullable<NormalLimits["runs"]>): Quota["runs"] {
  const { quota } = defaults;
  return {
    maxConcurrent: runs.maxConcurrent ?? quota.maxConcurrentRuns,
    maxQueued: runs.maxQueued ?? quota.maxQueuedRuns,
    startsPerHour: runs.startsPerHour ?? null,
  };
}

function overrideOf({ until, rationale, ...limits }: NonNullable<NormalQuota["overrides"]>[number]): QuotaOverride {
  return {
    until,
    rationale,
    limits: said({
      weight: limits.weight,
      runs: limits.runs,
      steps: limits.steps,
      perStep: limits.perStep && perStepOf(limits.perStep),
      perDay: limits.perDay && perDayOf(limits.perDay),
      minIntervalMs: limits.minInterval,
    }),
  };
}

const perStepOf = (perStep: NonNullable<NormalLimits["perStep"]>): Partial<QuotaLimits["perStep"]> =>
  said({
    memoryBytes: perStep.memory,
    cpuTimeMs: perStep.cpuTime,
    timeoutMs: perStep.timeout,
    scratchBytes: perStep.scratch,
    outputBytes: perStep.output,
  });

const perDayOf = (perDay: NonNullable<NormalLimits["perDay"]>): Partial<QuotaLimits["perDay"]> =>
  said({ cpuTimeMs: perDay.cpuTime, artifactBytes: perDay.artifacts });

/** Without the members that nobody wrote. */
const said = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
