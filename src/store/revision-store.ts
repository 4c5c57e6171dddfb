import type { UtcText } from "../base/index.ts";
import type { Condition, ObservedDag, ObservedTenant, OutboxBody, TenantChange } from "../plan/index.ts";
import type { RecordApproval } from "../record/index.ts";
import type { Allowlist } from "../spec/index.ts";
import type { QueuedRunBody } from "./admission-store.ts";

// The values that plan/ makes and reads live there: a pure room imports no plant.
export type {
  Condition,
  ConditionWrite,
  DagWrite,
  ObservedDag,
  ObservedTenant,
  OutboxBody,
  TenantChange,
} from "../plan/index.ts";

/** What the reconciler reads and writes: the site's verified revision and each tenant's applied state. */
export interface RevisionStore {
  observeSite(): Promise<ObservedSite | null>;
  /** First start: the site row and the genesis body, in one transaction; a second call with another site refuses. */
  createSite(site: NewSite): Promise<void>;
  /** Moves the verified revision (guard: `from`), with the `_site` reconcile body and site conditions. */
  applySite(change: SiteChange): Promise<void>;
  /** Past a rewind or fork: moves the verified revision (guard: `from`) on a person's word, with the `control` body. */
  acceptHistory(change: Pick<SiteChange, "to" | "record"> & { readonly from: string }): Promise<void>;
  observeTenant(tenant: string): Promise<ObservedTenant & TenantHead>;
  /** What tells whether a tenant stands as it was applied, without its DAGs: cheap, however many there are. */
  observeHead(tenant: string): Promise<TenantHead>;
  /** Watermarks of these DAGs, and of all that stand beyond an instant. */
  observeSchedules(tenant: string, dagIds: readonly string[], beyond: UtcText): Promise<ObservedSchedules>;
  /**
   * One transaction, each change guarded by the version it saw; a moved row is Fault STORE_CONFLICT and nothing is
   * written. Queued runs of pruned and suspended DAGs end in it as cancelled at `change.now`, with the body of `endQueued`.
   */
  applyTenant(change: TenantChange, endQueued: QueuedRunBody): Promise<void>;
  /** Keeps what is not kept yet: the commit that was first to bring a spec in stays its commit. */
  recordVersions(tenant: string, versions: readonly DagVersion[], now: UtcText): Promise<void>;
  /** Keeps which approvals let a commit in: for a tenant of which it is the applied revision or brought a version in. */
  recordApprovals(tenant: string, approved: readonly CommitApprovals[], now: UtcText): Promise<void>;
  /** Of any of these commits, by sha256. */
  approvalsOf(tenant: string, commits: readonly string[]): Promise<readonly RecordApproval[]>;
  /** Which of these blobs the tenant does not hold yet. */
  missingBlobs(tenant: string, sha256: readonly string[]): Promise<readonly string[]>;
  readBlob(tenant: string, sha256: string): Promise<Buffer | null>;
  /** The allowlist as applied now, for a step that is about to start. */
  currentGrants(tenant: string, known: string | null): Promise<CurrentGrants>;
  /** Writes site conditions only when they differ. */
  reportSite(conditions: readonly Condition[], now: UtcText): Promise<void>;
}

export type ObservedSchedules = ReadonlyMap<string, ObservedDag["schedules"]>;

export type TenantHead = Omit<ObservedTenant, "pins" | "dags" | "conditions"> & {
  /** Its conditions say that changes wait as a whole: what they wait for may be taken back by a commit. */
  readonly isBlocked: boolean;
};

export interface CurrentGrants {
  readonly revision: string;
  /** null = that of the revision that was known. */
  readonly allowlist: Allowlist | null;
}

export interface CommitApprovals {
  readonly commit: string;
  readonly approvals: readonly RecordApproval[];
}

/** A version of a Dag that verified history brought in, applied or not. */
export interface DagVersion {
  readonly dagId: string;
  readonly specHash: string;
  /** Canonical text of the normal form. */
  readonly specText: string;
  readonly commit: string;
}

export interface ObservedSite {
  readonly site: string;
  readonly specRef: string;
  readonly verifiedRevision: string | null;
  /** SHA-256 of keys/spec_signers at the first revision, and how it was trusted. */
  readonly signersSha256: string;
  readonly trustedBy: "pinned" | "first_use";
  /** Every tenant that was ever applied. */
  readonly tenants: readonly string[];
}

export interface NewSite {
  readonly site: string;
  readonly specRef: string;
  readonly signersSha256: string;
  readonly trustedBy: "pinned" | "first_use";
  readonly record: OutboxBody;
  readonly now: UtcText;
}

export interface SiteChange {
  readonly from: string | null;
  readonly to: string;
  readonly tenants: readonly string[];
  readonly record: OutboxBody;
  readonly conditions: readonly Condition[];
  readonly now: UtcText;
}
