import type { UtcText } from "../../base/index.ts";
import type { TenantSnapshot } from "../../spec/index.ts";

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

/** What a person stopped past Git (break-glass), until it expires by itself. */
export interface Suspension {
  /** null = every DAG of the tenant. */
  readonly dagId: string | null;
  readonly reason: string;
  readonly ticket: string;
  /** Who did it. */
  readonly subject: string;
  readonly since: UtcText;
  readonly until: UtcText;
}

export interface ObservedTenant {
  readonly tenant: string;
  /** null = never applied. */
  readonly appliedRevision: string | null;
  /** How often it was applied: DAGs and conditions of a generation stand as long as it does. */
  readonly generation: number;
  /** Tree ids that the applied state was computed from (spec/ makes the text). */
  readonly fingerprint: string | null;
  readonly suspended: boolean;
  readonly snapshot: TenantSnapshot | null;
  /** By `name@version`: SHA-256 of the manifest (canonical text) of every plugin that runs of the tenant were ever pinned to. */
  readonly pins: Readonly<Record<string, string>>;
  /** Expired ones too. */
  readonly suspensions: readonly Suspension[];
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
