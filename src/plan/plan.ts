import type { UtcText } from "../base/index.ts";
import type { Finding, TenantSnapshot } from "../spec/index.ts";
import type { ConditionWrite } from "./change/tenant-change.ts";
import type { DesiredTenant, ReadableDag } from "./desired/desired.ts";
import type { Condition, ObservedDag, ObservedTenant } from "./observed/observed.ts";

/** What an update of a Dag changes. */
export type DagAspect = "spec" | "armed" | "suspended" | "watermark";

export type DagChange =
  /** `from`: a tombstone whose name returns, else null. */
  | {
      readonly kind: "create";
      readonly dagId: string;
      readonly from: ObservedDag | null;
      readonly to: ReadableDag;
      /** The DAG whose name it takes over, pruned by the same plan: its watermarks go along. */
      readonly renamed: ObservedDag | null;
    }
  | {
      readonly kind: "update";
      readonly dagId: string;
      readonly from: ObservedDag;
      readonly to: ReadableDag;
      readonly aspects: readonly DagAspect[];
    }
  | { readonly kind: "prune"; readonly dagId: string; readonly from: ObservedDag }
  /** Kept at `from`, or kept out where that is null. */
  | {
      readonly kind: "hold";
      readonly dagId: string;
      readonly from: ObservedDag | null;
      readonly path: string;
      readonly findings: readonly Finding[];
    };

/** A change of what all DAGs of the tenant share: its other documents, and what its runs are pinned to. */
export interface DocumentChange {
  readonly kind: "create" | "update" | "prune" | "hold";
  readonly document: "Tenant" | "Quota" | "Allowlist" | "Plugin" | "Files" | "Secrets";
  /** The tenant; of a plugin `name@version`. */
  readonly name: string;
  /** Canonical text before and after, null = absent or unreadable. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Why nothing of a tenant is applied. */
export type TenantBlock =
  | { readonly kind: "held" }
  /** A window of tenant.yaml: the changes come when it ends. */
  | { readonly kind: "freeze"; readonly until: UtcText; readonly rationale: string }
  /** The prune brake: `prunes` of `of` live DAGs, `allowed` without a person. */
  | { readonly kind: "brake"; readonly prunes: number; readonly of: number; readonly allowed: number };

/** A DAG that stays at its version and is stopped, or goes on. */
export interface SuspendWrite {
  readonly dagId: string;
  /** Spec hash that it stands at. */
  readonly from: string;
  readonly suspended: boolean;
}

export interface TenantPlan {
  readonly tenant: string;
  /** Revision that it leads to. */
  readonly revision: string;
  readonly desired: DesiredTenant;
  readonly observed: ObservedTenant;
  /** By dagId in byte order. */
  readonly dags: readonly DagChange[];
  readonly documents: readonly DocumentChange[];
  /** Of DAGs that `dags` leaves at the version they have. */
  readonly suspends: readonly SuspendWrite[];
  /** null = nothing holds it back. */
  readonly blocked: TenantBlock | null;
  /** What runs are pinned to afterwards. */
  readonly snapshot: TenantSnapshot;
  /** The whole set of the tenant's conditions afterwards. */
  readonly conditions: readonly Condition[];
  /** Those of them that say something else than before, and those that are gone. */
  readonly said: readonly ConditionWrite[];
  /** Everything found, by (path, line, col, code). */
  readonly findings: readonly Finding[];
}

export interface Plan {
  readonly revision: string;
  /** By tenant in byte order. */
  readonly tenants: readonly TenantPlan[];
  readonly findings: readonly Finding[];
  /** Every document decoded: the plan says all that the revision wants. */
  readonly complete: boolean;
  /** Something is to do and nothing holds all of it back. */
  readonly applyable: boolean;
}
