import type { ErrorClass, Json, JsonObject } from "../../base/index.ts";
import type { DagSpec, ForEachSpec, PluginRef, RetrySpec, ScheduleSpec, StepLimits, StepSpec } from "./dag-spec.ts";
import { defaults } from "./defaults.ts";
import { emptyInputs, inputDefaults } from "./inputs-schema.ts";

interface NormalSchedule {
  readonly name?: string;
  readonly cron?: string;
  readonly every?: number;
  readonly timezone?: string;
  readonly catchUp?: { readonly policy?: "none" | "latest" | "all"; readonly maxAge?: number };
  readonly inputs?: JsonObject;
}

interface NormalStep {
  readonly uses: string;
  readonly needs?: readonly string[];
  readonly when?: string;
  readonly with?: JsonObject;
  readonly code?: string;
  readonly files?: readonly string[];
  readonly network?: readonly string[];
  readonly secrets?: Readonly<Record<string, string>>;
  readonly forEach?: {
    readonly in: string | readonly Json[];
    readonly as?: string;
    readonly maxItems?: number;
    readonly maxParallel?: number;
  };
  readonly retry?: {
    readonly maxAttempts?: number;
    readonly backoff?: number;
    readonly factor?: number;
    readonly maxBackoff?: number;
    readonly errors?: readonly ErrorClass[];
  };
  readonly limits?: {
    readonly memory?: number;
    readonly cpuTime?: number;
    readonly scratch?: number;
    readonly timeout?: number;
  };
  readonly continueOnError?: boolean;
  readonly isolation?: "host";
}

interface NormalDag {
  readonly rationale?: string;
  readonly inputsSchema?: JsonObject;
  readonly schedules?: readonly NormalSchedule[];
  readonly concurrency?: { readonly max?: number; readonly overlap?: "queue" | "skip" | "latest" };
  readonly timeout?: number;
  readonly steps: Readonly<Record<string, NormalStep>>;
  readonly finally?: Readonly<Record<string, NormalStep>>;
}

/**
 * The DAG of a stored normal form (canonical JSON of {apiVersion, kind, spec}), every default filled in. The text is
 * our own, made by `decodeDocument`.
 */
export function effectiveDag(specText: string): DagSpec {
  const { spec } = JSON.parse(specText) as { readonly spec: NormalDag };
  const inputsSchema = spec.inputsSchema ?? emptyInputs;
  return {
    rationale: spec.rationale ?? null,
    inputsSchema,
    inputDefaults: inputDefaults(inputsSchema),
    schedules: (spec.schedules ?? []).map(effectiveSchedule),
    concurrency: { ...defaults.dag.concurrency, ...spec.concurrency },
    timeoutMs: spec.timeout ?? defaults.dag.timeoutMs,
    steps: effectiveSteps(spec.steps),
    finally: effectiveSteps(spec.finally ?? {}),
  };
}

/** In byte order of the ids: canonical JSON is sorted, and ids are ASCII. */
const effectiveSteps = (steps: Readonly<Record<string, NormalStep>>): readonly StepSpec[] =>
  Object.entries(steps).map(([stepId, step]) => effectiveStep(stepId, step));

function effectiveSchedule(schedule: NormalSchedule): ScheduleSpec {
  return {
    name: schedule.name ?? defaults.schedule.name,
    timing:
      schedule.cron === undefined
        ? { kind: "every", everyMs: schedule.every ?? 0 }
        : { kind: "cron", cron: schedule.cron },
    timezone: schedule.timezone ?? defaults.schedule.timezone,
    catchUp: {
      policy: schedule.catchUp?.policy ?? defaults.schedule.catchUpPolicy,
      maxAgeMs: schedule.catchUp?.maxAge ?? null,
    },
    inputs: schedule.inputs ?? {},
  };
}

function effectiveStep(stepId: string, step: NormalStep): StepSpec {
  return {
    stepId,
    uses: pluginRef(step.uses),
    needs: step.needs ?? [],
    when: step.when ?? null,
    with: step.with ?? {},
    code: step.code ?? null,
    ...effectiveReach(step),
    forEach: step.forEach === undefined ? null : effectiveForEach(step.forEach),
    retry: effectiveRetry(step.retry ?? {}),
    limits: effectiveLimits(step.limits ?? {}),
    continueOnError: step.continueOnError ?? defaults.step.continueOnError,
    isolation: step.isolation ?? null,
  };
}

/** What the step may read and reach. */
function effectiveReach(step: NormalStep): Pick<StepSpec, "files" | "network" | "secrets"> {
  return { files: step.files ?? [], network: step.network ?? [], secrets: step.secrets ?? {} };
}

/** `core.log@1.0.0`. */
function pluginRef(uses: string): PluginRef {
  const at = uses.lastIndexOf("@");
  return { name: uses.slice(0, at), version: uses.slice(at + 1) };
}

function effectiveForEach(forEach: NonNullable<NormalStep["forEach"]>): ForEachSpec {
  return {
    in: forEach.in,
    as: forEach.as ?? defaults.forEach.as,
    maxItems: forEach.maxItems ?? defaults.forEach.maxItems,
    maxParallel: forEach.maxParallel ?? null,
  };
}

function effectiveRetry(retry: NonNullable<NormalStep["retry"]>): RetrySpec {
  return {
    maxAttempts: retry.maxAttempts ?? defaults.retry.maxAttempts,
    backoffMs: retry.backoff ?? defaults.retry.backoffMs,
    factor: retry.factor ?? defaults.retry.factor,
    maxBackoffMs: retry.maxBackoff ?? defaults.retry.maxBackoffMs,
    errors: retry.errors ?? defaults.retry.errors,
  };
}

function effectiveLimits(limits: NonNullable<NormalStep["limits"]>): StepLimits {
  return {
    memoryBytes: limits.memory ?? defaults.limits.memoryBytes,
    cpuTimeMs: limits.cpuTime ?? defaults.limits.cpuTimeMs,
    scratchBytes: limits.scratch ?? defaults.limits.scratchBytes,
    timeoutMs: limits.timeout ?? defaults.limits.timeoutMs,
  };
}
