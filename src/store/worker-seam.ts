import type { CodeName, ErrorClass, UtcText } from "../base/index.ts";
import type { Actor, AttemptStatus, RunContext, RunStatus, Trigger } from "../run/index.ts";

/**
 * The one seam between a worker and the queue. The PostgreSQL implementation maps all calls that gather while a
 * transaction is in flight onto one statement (`tick`: heartbeat and fence, outcomes, settles, outbox, next claim); a
 * remote worker will speak the same over HTTPS. test/support/worker-seam-suite.ts is its conformance suite.
 *
 * Every call rejects with Fault WORKER_FENCED once the lease is lost: the worker kills its hosts first, then stops.
 * Content never makes a call reject: it answers a verdict per item.
 */
export interface WorkerSeam {
  /** Claims up to `max` ready runs, oldest tag first. An empty list is no error. */
  claim(max: number): Promise<readonly ClaimedRun[]>;
  /** Renews the lease; answers what the worker must know. */
  heartbeat(): Promise<WorkerNews>;
  /** Stores outcomes; resolves when they are durable. Verdicts in the order of the items. */
  report(outcomes: readonly AttemptOutcome[]): Promise<readonly Verdict[]>;
  /** Marks attempts as begun, durable before they start: those of steps with `effects: any`, and all of a rescued run. */
  begin(marks: readonly AttemptMark[]): Promise<readonly Verdict[]>;
  /** Ends runs: run row, record body into the outbox and removal of the live rows in one transaction. */
  settle(settlements: readonly Settlement[]): Promise<readonly Verdict[]>;
  /** Gives claimed runs back to the queue with their tag (clean stop). */
  release(runs: readonly RunRef[]): Promise<readonly Verdict[]>;
}

/**
 * `stored`: durable now. `fenced`: the run is no longer this claim's. `duplicate`: it was stored before, and stays so.
 * `unfit`: the item holds what the store cannot keep (U+0000, a lone surrogate, a hash that is none); nothing of it is
 * stored, its neighbours are. The worker reports a failed attempt without that value instead.
 */
export type Verdict = "stored" | "fenced" | "duplicate" | "unfit";

export interface RunRef {
  readonly tenant: string;
  readonly runId: string;
  /** The fence of the claim: +1 with each claim, release and rescue. */
  readonly fence: number;
}

export interface WorkerNews {
  /** Live workers of the site, this one included. */
  readonly workers: number;
  /** Runs of this worker that somebody asked to cancel, until they are settled. */
  readonly cancelled: readonly CancelRequest[];
  /** The applied revision of every tenant that this worker holds runs of: where it moved, grants must be read again. */
  readonly tenantRevisions: Readonly<Record<string, string>>;
}

export interface CancelRequest {
  readonly tenant: string;
  readonly runId: string;
  readonly actor: Actor;
  readonly rationale: string | null;
}

export interface ClaimedRun {
  readonly tenant: string;
  readonly runId: string;
  readonly runNo: number;
  readonly dagId: string;
  readonly fence: number;
  /** Workers that died with this run: a clean release is none. */
  readonly rescues: number;
  readonly specHash: string;
  /** Normal form, canonical JSON of {apiVersion, kind, spec}. */
  readonly specText: string;
  /** The commit that introduced `specHash` here (dagVersion.commit). */
  readonly commit: string;
  readonly policyRevision: string;
  /** SHA-256 of the TenantSnapshot blob. */
  readonly snapshot: string;
  readonly trigger: Trigger;
  readonly inputsText: string;
  readonly inputsHash: string;
  readonly runToken: string;
  readonly rationale: readonly Rationale[];
  readonly actor: Actor;
  readonly traceId: string;
  readonly context: RunContext;
  readonly queuedUtc: UtcText;
  /** Set at the first claim; a rescued run keeps it. */
  readonly startedUtc: UtcText;
  /** Stored attempts by (stepId, index, attempt): what a rescuer need not do again. */
  readonly attempts: readonly AttemptOutcome[];
  readonly marks: readonly AttemptMark[];
}

export interface Rationale {
  readonly source: "spec" | "trigger" | "commit" | "cancel";
  readonly text: string;
}

export interface AttemptMark extends RunRef {
  readonly stepId: string;
  readonly index: number;
  readonly attempt: number;
  readonly startedUtc: UtcText;
}

/** The end of one attempt, insert-only. `outputText` only where it succeeded. */
export interface AttemptOutcome extends RunRef {
  readonly stepId: string;
  readonly index: number;
  /** Counts from 1. */
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly class: ErrorClass | null;
  readonly code: CodeName | null;
  /** May be shown to the tenant; never holds a value of the run. */
  readonly message: string | null;
  readonly startedUtc: UtcText;
  readonly endedUtc: UtcText;
  readonly stepHash: string;
  readonly stepKey: string;
  readonly inputsHash: string;
  readonly outputsHash: string | null;
  readonly outputText: string | null;
  readonly egress: readonly EgressSummary[];
  readonly logsHash: string | null;
  readonly artifacts: readonly ArtifactRef[];
  /** CPU time that it took, for the tenant's day; not stored with the attempt. Left out where nothing ran. */
  readonly cpuMs?: number;
}

/** All connections of one attempt to one target. */
export interface EgressSummary {
  readonly host: string;
  readonly port: number;
  readonly allowed: number;
  readonly denied: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface ArtifactRef {
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
}

export interface Settlement extends RunRef {
  readonly status: RunStatus;
  readonly class: ErrorClass | null;
  readonly code: CodeName | null;
  readonly endedUtc: UtcText;
  readonly outputsHash: string;
  /** The record body: `recordId` and its canonical JSON text (record/). */
  readonly recordId: string;
  readonly bodyText: string;
}
