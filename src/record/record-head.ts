import type { Hex, UtcText } from "../base/index.ts";
import type { Actor } from "../run/index.ts";

export const recordSchemaName = "orrery.record/1" as const;

/** The tenant of what belongs to no tenant. */
export const siteTenant = "_site" as const;

/** What every record has, whatever its kind. A member without a value is left out, never null. */
export interface RecordHead {
  readonly recordId: string;
  readonly schema: typeof recordSchemaName;
  readonly site: string;
  readonly tenant: string;
  readonly actor: RecordActor;
  readonly rationale?: readonly RecordRationale[];
  /** 32 lower-case hex digits. */
  readonly traceId?: string;
  readonly runtime: RecordRuntime;
}

/** Who is answerable; `key` is a fingerprint, only for kind `commit`. */
export interface RecordActor {
  readonly kind: Actor["kind"];
  readonly subject: string;
  readonly key?: string;
}

export interface RecordRationale {
  readonly source: "spec" | "trigger" | "commit" | "cancel";
  readonly text: string;
}

/** What made the record: versions, and the sandbox level of the site. */
export interface RecordRuntime {
  readonly orrery: string;
  readonly node: string;
  readonly tzdata: string;
  readonly level: "sealed" | "confined" | "process" | "none";
}

/** Why policy let something through or not: the rule's path (`quota.runs.maxQueued`) and what it said. */
export interface RecordDecision {
  readonly verdict: "allow" | "deny";
  readonly rule: string;
  readonly message?: string;
}

/** Added by the recorder alone. */
export interface RecordEnvelope {
  /** Gap-free per site and tenant, from 1. */
  readonly seq: number;
  /** SHA-256 of the tenant's previous line without LF; of nothing for seq 1. */
  readonly prev: Hex;
  /** The batch's: one for all its records, later than the last batch's. */
  readonly timestamp: UtcText;
  /** Site-wide Merkle leaf, from 0. */
  readonly index: number;
  /** The daemon's clock as read. */
  readonly clock: UtcText;
  /** Every slot of the tenant before it stands in a record up to here. */
  readonly horizon: UtcText;
}
