import type { ErrorClass, Hex, UtcText } from "../base/index.ts";
import type { AttemptStatus, RunContext, RunStatus, StepStatus, Trigger } from "../run/index.ts";
import type { RecordDecision, RecordHead } from "./record-head.ts";

/** The `run` record of `orrery.record/1`: the whole story of one admitted run, written at its end. */
export interface RunRecord extends RecordHead {
  readonly kind: "run";
  readonly dagId: string;
  readonly runId: string;
  readonly runNo: number;
  readonly dagVersion: DagVersion;
  readonly policyRevision: string;
  readonly trigger: RecordTrigger;
  readonly rerunOf?: string;
  readonly replayOf?: string;
  readonly approvals?: readonly RecordApproval[];
  readonly decision?: RecordDecision;
  readonly runToken: Hex;
  readonly replayToken?: string;
  readonly status: RunStatus;
  readonly errorClass?: ErrorClass;
  readonly code?: string;
  readonly inputsHash: Hex;
  readonly outputsHash: Hex;
  readonly queuedUtc: UtcText;
  readonly startedUtc?: UtcText;
  readonly endedUtc: UtcText;
  readonly durationMs?: number;
  readonly context: RunContext;
  readonly deterministic: boolean;
  readonly stepsHash: Hex;
  /** Left out where the list stands in a file of its own (`steps/`). */
  readonly steps?: readonly StepRecord[];
}

/** The commit that introduced this spec hash on the site, and the hash. */
export interface DagVersion {
  readonly commit: string;
  readonly specHash: Hex;
}

/** A trigger as it stands in a record: absent members are left out. */
export interface RecordTrigger {
  readonly kind: Trigger["kind"];
  readonly key: string;
  readonly schedule?: string;
  readonly slot?: UtcText;
}

export interface RecordApproval {
  readonly head: string;
  readonly planHash: Hex;
  readonly approver: string;
  readonly key: string;
  readonly sha256: Hex;
}

/** One step of `steps` or `finally`, also one that never ran. */
export interface StepRecord {
  readonly stepId: string;
  readonly finally: boolean;
  readonly status: StepStatus;
  /** lower_snake: `upstream_failed`, `condition_false` ... */
  readonly reason?: string;
  /** `name@version`. */
  readonly plugin: string;
  /** SHA-256 of plugin.js. */
  readonly digest: Hex;
  /** A count, only with forEach. */
  readonly items?: number;
  readonly outputsHash: Hex | null;
  readonly attempts: readonly AttemptRecord[];
}

/** One execution of one item of a step. */
export interface AttemptRecord {
  readonly index: number;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly class?: ErrorClass;
  readonly code?: string;
  readonly startedUtc: UtcText;
  readonly endedUtc: UtcText;
  readonly stepHash: Hex;
  readonly stepKey: Hex;
  readonly inputsHash: Hex;
  readonly outputsHash: Hex | null;
  readonly egress?: readonly EgressRecord[];
  readonly logsHash?: Hex;
  readonly artifacts?: readonly ArtifactRecord[];
}

/** All connections of one attempt to one target. */
export interface EgressRecord {
  readonly host: string;
  readonly port: number;
  readonly allowed: number;
  readonly denied: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface ArtifactRecord {
  readonly artifact: Hex;
  readonly bytes: number;
  readonly mediaType: string;
}
