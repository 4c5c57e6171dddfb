import type { CodeName } from "../base/index.ts";
import type { QuotaLimits } from "../spec/index.ts";

/** What admission finds when a request arrives, read in one snapshot. */
export interface AdmissionUsage {
  /** The run that the admission key made before; null = the key is new. */
  readonly existing: { readonly runId: string; readonly inputsHash: string } | null;
  /** The site starts nothing now (clock, audit lag, unknown recorder key). */
  readonly closed: boolean;
  /** The tenant, or this DAG. */
  readonly suspended: boolean;
  /** False: the DAG is applied but not armed. null: there is no such DAG, or it was pruned. */
  readonly armed: boolean | null;
  /** Queued runs of the tenant, ready or not. */
  readonly queued: number;
  /** What attempts that ended this UTC day took. */
  readonly today: { readonly cpuTimeMs: number; readonly artifactBytes: number };
  /** Of these, runs of this DAG that wait for promotion: those that overlap `latest` replaces. */
  readonly waitingOfDag: number;
  /** Queued and running runs of this DAG. */
  readonly unfinishedOfDag: number;
}

export interface AdmissionDemand {
  /** A slot is skipped where another request is refused. */
  readonly slot: boolean;
  readonly inputsHash: string;
  readonly concurrency: { readonly max: number; readonly overlap: "queue" | "skip" | "latest" };
}

/** The answer of admission to one request. */
export type Decision =
  /** `supersede`: overlap `latest`, the waiting runs of this DAG are cancelled in its favour. */
  | { readonly kind: "admitted"; readonly supersede: boolean }
  | { readonly kind: "existing"; readonly runId: string }
  | { readonly kind: "refused"; readonly code: CodeName }
  | { readonly kind: "skipped"; readonly reason: AdmissionSkip };

export type AdmissionSkip = "not_allowed" | "suspended" | "overlap" | "quota" | "closed";

/**
 * Whether a request becomes a run. The SQL of store/ gives the same answers; this is its oracle, and what `lint` and
 * `simulate` use. The first that applies: the key was used, the site is closed, no such DAG, suspended, not armed,
 * overlap, queue depth, CPU time of the day, artifacts of the day.
 */
export function decideAdmission(quota: QuotaLimits, usage: AdmissionUsage, request: AdmissionDemand): Decision {
  if (usage.existing !== null) {
    const same = request.slot || usage.existing.inputsHash === request.inputsHash;
    return same
      ? { kind: "existing", runId: usage.existing.runId }
      : { kind: "refused", code: "IDEMPOTENCY_KEY_REUSED" };
  }
  const refusal = refusalOf(quota, usage, request);
  if (refusal === null) return { kind: "admitted", supersede: request.concurrency.overlap === "latest" };
  return request.slot && refusal.skip !== null
    ? { kind: "skipped", reason: refusal.skip }
    : { kind: "refused", code: refusal.code };
}

function refusalOf(
  quota: QuotaLimits,
  usage: AdmissionUsage,
  { concurrency }: AdmissionDemand,
): { readonly code: CodeName; readonly skip: AdmissionSkip | null } | null {
  if (usage.closed) return { code: "ADMISSION_CLOSED", skip: "closed" };
  if (usage.armed === null) return { code: "DAG_NOT_FOUND", skip: null };
  if (usage.suspended) return { code: "SUSPENDED", skip: "suspended" };
  if (!usage.armed) return { code: "NOT_ALLOWED", skip: "not_allowed" };
  if (concurrency.overlap === "skip" && usage.unfinishedOfDag >= concurrency.max) {
    return { code: "OVERLAP_SKIPPED", skip: "overlap" };
  }
  // A waiting run that this one takes the place of needs no room.
  const queued = usage.queued - (concurrency.overlap === "latest" ? usage.waitingOfDag : 0);
  if (queued >= quota.runs.maxQueued) return { code: "QUEUE_FULL", skip: "quota" };
  return spentBudget(quota, usage);
}

function spentBudget({ perDay }: QuotaLimits, { today }: AdmissionUsage): ReturnType<typeof refusalOf> {
  const { cpuTimeMs, artifactBytes } = perDay;
  if (cpuTimeMs !== null && today.cpuTimeMs >= cpuTimeMs) return { code: "CPU_BUDGET_SPENT", skip: "quota" };
  if (artifactBytes !== null && today.artifactBytes >= artifactBytes)
    return { code: "ARTIFACT_BUDGET_SPENT", skip: "quota" };
  return null;
}

/** What promotion finds, under the tenant's lock. */
export interface PromotionUsage {
  /** Runs of the tenant that are ready or run. */
  readonly admitted: number;
  /** Of these, runs of this DAG. */
  readonly admittedOfDag: number;
  /** Promotions in this UTC hour. */
  readonly startsThisHour: number;
  readonly suspended: boolean;
}

/** What of a DAG promotion asks for. */
export interface PromotionDemand {
  readonly concurrency: Pick<AdmissionDemand["concurrency"], "max">;
}

/** What of a quota promotion asks for. */
export interface PromotionQuota {
  readonly runs: Pick<QuotaLimits["runs"], "maxConcurrent" | "startsPerHour">;
}

/** Why a queued run is not ready yet. */
export type WaitReason = "suspended" | "tenant_concurrency" | "start_rate" | "dag_concurrency";

/** Whether a queued run becomes ready, or what it waits for; null = it becomes ready. As `promote` of store/ has it. */
export function decidePromotion(
  quota: PromotionQuota,
  usage: PromotionUsage,
  { concurrency }: PromotionDemand,
): WaitReason | null {
  if (usage.suspended) return "suspended";
  if (usage.admitted >= quota.runs.maxConcurrent) return "tenant_concurrency";
  if (usage.startsThisHour >= (quota.runs.startsPerHour ?? Number.POSITIVE_INFINITY)) return "start_rate";
  return usage.admittedOfDag >= concurrency.max ? "dag_concurrency" : null;
}
