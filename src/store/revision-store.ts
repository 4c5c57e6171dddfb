import type { UtcText } from "../base/index.ts";
import type { Quota, TenantSnapshot } from "../spec/index.ts";

/** What the reconciler reads and writes: the site's verified revision and each tenant's applied state. */
export interface RevisionStore {
  observeSite(): Promise<ObservedSite | null>;
  /** First start: the site row and the genesis body, in one transaction; a second call with another site refuses. */
  createSite(site: NewSite): Promise<void>;
  /** Moves the verified revision (guard: `from`), with the `_site` reconcile body and site conditions. */
  applySite(change: SiteChange): Promise<void>;
  observeTenant(tenant: string): Promise<ObservedTenant>;
  /** One transaction, each change guarded by the version it saw; a moved row is Fault STORE_CONFLICT and nothing is written. */
  applyTenant(change: TenantChange): Promise<void>;
  /** Which of these blobs the tenant does not hold yet. */
  missingBlobs(tenant: string, sha256: readonly string[]): Promise<readonly string[]>;
  readBlob(tenant: string, sha256: string): Promise<Buffer | null>;
  /** Writes site conditions only when they differ. */
  reportSite(conditions: readonly Condition[], now: UtcText): Promise<void>;
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

/** A record body that waits for its envelope. `dagId` sorts it within its batch. */
export interface OutboxBody {
  readonly recordId: string;
  readonly dagId: string | null;
  readonly runId: string | null;
  readonly kind: "genesis" | "run" | "reconcile" | "control" | "skip" | "denial";
  readonly bodyText: string;
}

export interface SiteChange {
  readonly from: string | null;
  readonly to: string;
  readonly tenants: readonly string[];
  readonly record: OutboxBody;
  readonly conditions: readonly Condition[];
  readonly now: UtcText;
}

export interface Condition {
  /** Kind and name of what it is about: `Dag`/`hello`, `Tenant`/`acme`, `Site`/`hq`. */
  readonly kind: "Dag" | "Tenant" | "Site";
  readonly name: string;
  readonly type: "Ready" | "Reconciling" | "Stalled";
  readonly status: "True" | "False";
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
  readonly observedRevision: string | null;
}

export interface ObservedTenant {
  readonly tenant: string;
  /** null = never applied. */
  readonly appliedRevision: string | null;
  /** Tree ids that the applied state was computed from (spec/ makes the text). */
  readonly fingerprint: string | null;
  readonly suspended: boolean;
  readonly snapshot: TenantSnapshot | null;
  readonly dags: readonly ObservedDag[];
  readonly conditions: readonly Condition[];
}

export interface ObservedDag {
  readonly dagId: string;
  readonly specHash: string;
  readonly armed: boolean;
  readonly suspended: boolean;
  /** A tombstone: pruned, its numbers are kept. */
  readonly pruned: boolean;
  readonly schedules: readonly {
    readonly schedule: string;
    readonly watermark: UtcText;
    readonly nextDue: UtcText | null;
  }[];
}

export interface TenantChange {
  readonly tenant: string;
  /** Guard: the applied revision that was observed. */
  readonly from: string | null;
  readonly to: string;
  readonly fingerprint: string;
  readonly suspended: boolean;
  readonly quota: Quota;
  readonly snapshot: TenantSnapshot;
  /** Content that the store does not hold yet: plugin.js bytes and files. */
  readonly blobs: readonly { readonly sha256: string; readonly bytes: Uint8Array }[];
  readonly dags: readonly DagWrite[];
  readonly conditions: readonly Condition[];
  /** null where nothing but the fingerprint moved. */
  readonly record: OutboxBody | null;
  readonly events: readonly { readonly type: string; readonly subject: string; readonly body: string }[];
  readonly now: UtcText;
}

/** `from` is the spec hash that was observed, null = absent (or a tombstone). */
export type DagWrite =
  | {
      readonly kind: "create" | "update";
      readonly dagId: string;
      readonly from: string | null;
      readonly specHash: string;
      readonly specText: string;
      readonly armed: boolean;
      readonly suspended: boolean;
      readonly concurrencyMax: number;
      readonly overlap: "queue" | "skip" | "latest";
      /** Watermarks of new schedules start at `now`; kept schedules keep theirs and only get a new `nextDue`. */
      readonly schedules: readonly {
        readonly schedule: string;
        readonly watermark: UtcText;
        readonly nextDue: UtcText | null;
      }[];
    }
  | { readonly kind: "prune"; readonly dagId: string; readonly from: string };
