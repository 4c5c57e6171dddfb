import type { ErrorClass, Json, JsonObject } from "../../base/index.ts";

/**
 * A DAG spec with every default filled in: durations in ms, sizes in bytes, `needs` sorted. Read back from the stored
 * normal form by `effectiveDag`; never hashed itself (hashes are taken from the normal form's text).
 */
export interface DagSpec {
  readonly rationale: string | null;
  /** JSON Schema (2020-12) of the inputs object, expanded from the shorthand. */
  readonly inputsSchema: JsonObject;
  readonly inputDefaults: JsonObject;
  readonly schedules: readonly ScheduleSpec[];
  readonly concurrency: { readonly max: number; readonly overlap: "queue" | "skip" | "latest" };
  readonly timeoutMs: number;
  readonly steps: readonly StepSpec[];
  /** Steps of `finally`, run once after all others. */
  readonly finally: readonly StepSpec[];
}

export interface ScheduleSpec {
  readonly name: string;
  /** Exactly one of the two. */
  readonly timing:
    | { readonly kind: "cron"; readonly cron: string }
    | { readonly kind: "every"; readonly everyMs: number };
  readonly timezone: string;
  readonly catchUp: { readonly policy: "none" | "latest" | "all"; readonly maxAgeMs: number | null };
  /** Inputs of the runs it starts; whole-string expressions over `slot` are evaluated at admission. */
  readonly inputs: JsonObject;
}

export interface PluginRef {
  readonly name: string;
  readonly version: string;
}

export interface StepSpec {
  readonly stepId: string;
  readonly uses: PluginRef;
  readonly needs: readonly string[];
  /** The whole `${{ }}` text, or null. */
  readonly when: string | null;
  /** The value with its `${{ }}` texts unresolved. */
  readonly with: JsonObject;
  readonly code: string | null;
  readonly files: readonly string[];
  /** `host:port`, sorted. */
  readonly network: readonly string[];
  /** By name in the plugin: the tenant's secret. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly forEach: ForEachSpec | null;
  readonly retry: RetrySpec;
  readonly limits: StepLimits;
  readonly continueOnError: boolean;
  /** What the step raises its plugin's isolation to; null = as the plugin says. */
  readonly isolation: "host" | null;
}

export interface ForEachSpec {
  /** A list written out, or the `${{ }}` text of one. */
  readonly in: string | readonly Json[];
  readonly as: string;
  readonly maxItems: number;
  readonly maxParallel: number | null;
}

export interface RetrySpec {
  /** The first execution counts. */
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxBackoffMs: number;
  readonly errors: readonly ErrorClass[];
}

export interface StepLimits {
  readonly memoryBytes: number;
  readonly cpuTimeMs: number;
  readonly scratchBytes: number;
  readonly timeoutMs: number;
}
