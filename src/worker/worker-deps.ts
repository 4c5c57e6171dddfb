import type { ArtifactStore } from "../artifact/index.ts";
import type { Clock, CodeName, Fault } from "../base/index.ts";
import type { Compute } from "../compute/index.ts";
import type { RecordApproval, RecordRuntime } from "../record/index.ts";
import type { RunStatus, StepStatus } from "../run/index.ts";
import type { SandboxHosts } from "../sandbox/index.ts";
import type { LentSecrets, SecretSources } from "../secret/index.ts";
import type { TenantSnapshot } from "../spec/index.ts";
import type { CurrentGrants, QueueStore, Store } from "../store/index.ts";
import type { Logger } from "../telemetry/index.ts";

/** What a worker can touch. Reads of the store reject with `retry` faults while the world is down. */
export interface WorkerDeps {
  readonly queue: Pick<QueueStore, "registerWorker" | "retireWorker">;
  readonly createSeam: Store["createWorkerSeam"];
  readonly readSnapshot: (tenant: string, sha256: string, signal: AbortSignal) => Promise<TenantSnapshot>;
  readonly readBlob: (tenant: string, sha256: string, signal: AbortSignal) => Promise<Uint8Array | null>;
  /** The allowlist as applied now; null where its revision is still the known one. */
  readonly currentGrants: (tenant: string, known: string | null, signal: AbortSignal) => Promise<CurrentGrants>;
  /** Approvals that let any of these commits in, by sha256. */
  readonly approvalsOf: (
    tenant: string,
    commits: readonly string[],
    signal: AbortSignal,
  ) => Promise<readonly RecordApproval[]>;
  readonly secrets: StepSecrets;
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

/** What a worker asks of secret/. */
export interface StepSecrets extends Pick<SecretSources, "find">, Pick<LentSecrets, "lend"> {
  /** The sandbox is strong enough for steps that hold secrets. */
  readonly levelFits: boolean;
}

/** What a worker asks of compute/. */
export type StepCompute = Pick<Compute, "evaluate" | "checkInput" | "checkOutput">;

export interface WorkerOptions {
  readonly name: string;
  readonly site: string;
  readonly runtime: RecordRuntime;
  /** Runs held at once, those that wait for a retry included. */
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

/** `reason`: lower_snake, as in the record: why it was skipped, or failed without an attempt. */
interface StepEnding {
  readonly status: StepStatus;
  readonly reason: string | null;
  readonly code: CodeName | null;
}

export type WorkerEvent =
  | ({ readonly kind: "run_started"; readonly resumed: boolean } & RunName)
  | ({ readonly kind: "step_ended"; readonly stepId: string } & StepEnding & RunName)
  | ({ readonly kind: "run_settled"; readonly status: RunStatus; readonly durationMs: number } & RunName);
