import type { UtcText } from "../../base/index.ts";
import type { Quota, TenantSnapshot } from "../../spec/index.ts";
import type { Condition } from "../observed/observed.ts";

/** A record body that waits for its envelope. `dagId` sorts it within its batch. */
export interface OutboxBody {
  readonly recordId: string;
  readonly dagId: string | null;
  readonly runId: string | null;
  readonly kind: "genesis" | "run" | "reconcile" | "control" | "skip" | "denial";
  readonly bodyText: string;
}

export interface TenantChange {
  readonly tenant: string;
  /** Guard: the applied revision that was observed. */
  readonly from: string | null;
  /** Guard: the generation that was observed. */
  readonly generation: number;
  readonly to: string;
  readonly fingerprint: string;
  readonly suspended: boolean;
  readonly quota: Quota;
  readonly snapshot: TenantSnapshot;
  /** Plugin versions that runs are pinned to for the first time; SHA-256 of the manifest as canonical text. */
  readonly pins: readonly { readonly plugin: string; readonly sha256: string }[];
  /** Content that the store does not hold yet: plugin.js bytes and files. */
  readonly blobs: readonly { readonly sha256: string; readonly bytes: Uint8Array }[];
  readonly dags: readonly DagWrite[];
  /** Those that say something else than what was observed. */
  readonly conditions: readonly ConditionWrite[];
  /** null where nothing but the fingerprint moved. */
  readonly record: OutboxBody | null;
  readonly events: readonly { readonly type: string; readonly subject: string; readonly body: string }[];
  readonly now: UtcText;
}

/** `from` null: it was not said before; `to` null: it is not said any more. */
export interface ConditionWrite {
  readonly from: Condition | null;
  readonly to: Condition | null;
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
        /** The watermark that the plan saw; null = none. */
        readonly from: UtcText | null;
        readonly watermark: UtcText;
        readonly nextDue: UtcText | null;
      }[];
    }
  | { readonly kind: "prune"; readonly dagId: string; readonly from: string }
  /** Stays at its version; `from` is that version. */
  | { readonly kind: "suspend"; readonly dagId: string; readonly from: string; readonly suspended: boolean };
