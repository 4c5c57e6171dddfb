import type { JsonObject, UtcText } from "../base/index.ts";
import type { RunWait } from "../policy/index.ts";
import type { Actor, RunStatus, Trigger } from "../run/index.ts";
import type { Condition } from "./revision-store.ts";
import type { AttemptOutcome } from "./worker-seam.ts";

/** Read side for API, CLI and metrics; every call is of one tenant. */
export interface LedgerStore {
  /** null where nothing of the tenant was ever applied. */
  getTenant(tenant: string): Promise<TenantView | null>;
  listDags(tenant: string): Promise<readonly DagView[]>;
  getDag(tenant: string, dagId: string): Promise<DagView | null>;
  listRuns(tenant: string, query: RunsQuery): Promise<readonly RunView[]>;
  getRun(tenant: string, runId: string): Promise<RunView | null>;
  /** By (stepId, index, attempt). */
  attempts(tenant: string, runId: string): Promise<readonly AttemptView[]>;
  /** Whether `logsHash` is the log of an attempt of this run. */
  hasLog(tenant: string, runId: string, logsHash: string): Promise<boolean>;
  /** What happened to the tenant, newest first: changes that were applied, and each turn of a condition. */
  events(tenant: string, query: EventQuery): Promise<readonly EventView[]>;
  /** Queued runs (ready or not) of the tenant. */
  queueDepth(tenant: string): Promise<number>;
  /** The sealed record of a run, null while it waits. */
  recordOf(
    tenant: string,
    recordId: string,
  ): Promise<{ readonly seq: number; readonly batch: number; readonly line: string } | null>;
}

/** Newest first. */
export interface RunsQuery {
  readonly dagId: string | null;
  /** A runId; null = from the newest. */
  readonly before: string | null;
  /** Only runs that have not ended. */
  readonly unfinished?: boolean;
  readonly limit: number;
}

export interface EventQuery {
  /** `dag/hello`, `tenant/acme`; null = all. */
  readonly subject: string | null;
  /** Only events before this number; null = from the newest. */
  readonly before: number | null;
  readonly limit: number;
}

export interface EventView {
  /** Counts from 1 per tenant. */
  readonly n: number;
  readonly type: string;
  readonly subject: string;
  readonly at: UtcText;
  readonly facts: JsonObject;
}

/** Outputs stay in the store: a run's may be 16 MiB, and nobody who looks at attempts reads them. */
export type AttemptView = Omit<AttemptOutcome, "outputText">;

/** `observedRevision`: the one that first gave rise to what it says. */
export interface ConditionView extends Condition {
  /** Its last change of status. */
  readonly since: UtcText;
}

export interface TenantView {
  readonly tenant: string;
  readonly appliedRevision: string | null;
  readonly suspended: boolean;
  /** Of the tenant itself. */
  readonly conditions: readonly ConditionView[];
}

export interface DagView {
  readonly tenant: string;
  readonly dagId: string;
  readonly specHash: string;
  readonly specText: string;
  readonly commit: string;
  readonly armed: boolean;
  readonly suspended: boolean;
  readonly pruned: boolean;
  readonly schedules: readonly { readonly schedule: string; readonly nextDue: UtcText | null }[];
  readonly conditions: readonly ConditionView[];
  readonly appliedRevision: string;
}

export interface RunView {
  readonly tenant: string;
  readonly runId: string;
  readonly runNo: number;
  readonly dagId: string;
  readonly state: "queued" | "running" | "paused" | RunStatus;
  /** Of a queued run: what it waits for. Else null. */
  readonly wait: RunWait | null;
  readonly class: string | null;
  readonly code: string | null;
  readonly specHash: string;
  readonly commit: string;
  readonly policyRevision: string;
  readonly trigger: Trigger;
  readonly actor: Actor;
  readonly queuedUtc: UtcText;
  readonly startedUtc: UtcText | null;
  readonly endedUtc: UtcText | null;
  readonly inputsHash: string;
  readonly outputsHash: string | null;
  readonly runToken: string;
  readonly context: { readonly now: UtcText; readonly seed: string };
}
