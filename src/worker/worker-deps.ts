import type { ArtifactStore } from "../artifact/index.ts";
import type { Clock, CodeName, Fault, Json, JsonObject } from "../base/index.ts";
import type { RecordRuntime } from "../record/index.ts";
import type { RunStatus, StepStatus } from "../run/index.ts";
import type { SandboxHosts } from "../sandbox/index.ts";
import type { Allowlist, TenantSnapshot } from "../spec/index.ts";
import type { QueueStore, Store } from "../store/index.ts";
import type { Logger } from "../telemetry/index.ts";

/** What a worker can touch. Reads of the store reject with `retry` faults while the world is down. */
export interface WorkerDeps {
  readonly queue: Pick<QueueStore, "registerWorker" | "retireWorker">;
  readonly createSeam: Store["createWorkerSeam"];
  readonly readSnapshot: (tenant: string, sha256: string, signal: AbortSignal) => Promise<TenantSnapshot>;
  readonly readBlob: (tenant: string, sha256: string, signal: AbortSignal) => Promise<Uint8Array | null>;
  /** The allowlist as applied now. */
  readonly currentGrants: (tenant: string, signal: AbortSignal) => Promise<Allowlist>;
  readonly hosts: Pick<SandboxHosts, "run" | "killAll" | "capacity">;
  readonly compute: StepCompute;
  readonly artifacts: Pick<ArtifactStore, "write" | "read" | "openLog">;
  readonly clock: Clock;
  /** In [0, 1); only spreads retries against the plant. */
  readonly random: () => number;
  readonly log: Logger;
  /** Signals for tests and metrics. */
  readonly emit: (event: WorkerEvent) => void;
  /** Told once when a running worker ends by itself (fenced, or our bug): the owner registers a fresh one by `start`. */
  readonly failed: (fault: Fault) => void;
}

export type ComputeAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: CodeName };

/** What a worker asks of compute/. Values of a run stay out of codes and messages. */
export interface StepCompute {
  /** Resolves every `${{ }}` of a template; a whole-string expression keeps its type. */
  evaluate(
    request: { readonly template: Json; readonly scope: JsonObject },
    signal: AbortSignal,
  ): Promise<ComputeAnswer<Json>>;
  checkInput(
    request: { readonly value: Json; readonly schema: JsonObject },
    signal: AbortSignal,
  ): Promise<ComputeAnswer<null>>;
  checkOutput(
    request: {
      readonly text: string;
      readonly schema: JsonObject;
      readonly emits: "raw" | "derived";
      readonly service: string;
      readonly maxBytes: number;
    },
    signal: AbortSignal,
  ): Promise<ComputeAnswer<null>>;
}

export interface WorkerOptions {
  readonly name: string;
  readonly site: string;
  readonly runtime: RecordRuntime;
  /** Runs held at once. */
  readonly maxRuns: number;
  /** At most this long between two heartbeats. */
  readonly heartbeatMs: number;
  /** Without a heartbeat for so long the lease counts as lost. */
  readonly leaseTtlMs: number;
  /** On a clean stop running attempts may take this long to end. */
  readonly stopGraceMs: number;
  readonly logBytes: number;
  readonly artifactBytes: number;
  readonly blobCacheBytes: number;
}

interface RunName {
  readonly tenant: string;
  readonly dagId: string;
  readonly runId: string;
}

export type WorkerEvent =
  | ({ readonly kind: "run_started"; readonly resumed: boolean } & RunName)
  | ({ readonly kind: "step_ended"; readonly stepId: string; readonly status: StepStatus } & RunName)
  | ({ readonly kind: "run_settled"; readonly status: RunStatus; readonly durationMs: number } & RunName);
