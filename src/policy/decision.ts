import type { CodeName } from "../base/index.ts";
import type { Quota } from "../spec/index.ts";

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
  /** Queued and running runs of this DAG. */
  readonly unfinishedOfDag: number;
}

export interface AdmissionDemand {
  /** A slot is skipped where another request is refused. */
  readonly slot: boolean;
  readonly inputsHash: string;
  readonly concurrency: { readonly max: number; readonly overlap: "queue" | "skip" | "latest" };
}

/** The answer of admission to one request; the SQL of store/ gives the same. */
export type Decision =
  /** `supersede`: overlap `latest`, the waiting runs of this DAG are cancelled in its favour. */
  | { readonly kind: "admitted"; readonly supersede: boolean }
  | { readonly kind: "existing"; readonly runId: string }
  | { readonly kind: "refused"; readonly code: CodeName }
  | { readonly kind: "skipped"; readonly reason: "not_allowed" | "suspended" | "overlap" | "quota" | "closed" };

export type DecideAdmission = (quota: Quota, usage: AdmissionUsage, request: AdmissionDemand) => Decision;
