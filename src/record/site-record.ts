import type { Hex, UtcText } from "../base/index.ts";
import type { RecordDecision, RecordHead } from "./record-head.ts";
import type { RecordApproval, RecordTrigger } from "./run-record.ts";

/** First record of a chain: which repository, and on whose word its first revision was trusted. */
export interface GenesisRecord extends RecordHead {
  readonly kind: "genesis";
  readonly siteId: string;
  readonly specRef: string;
  /** SHA-256 of keys/spec_signers at the first revision. */
  readonly signersSha256: Hex;
  readonly trustedBy: "pinned" | "first_use";
}

/** One per tenant that a revision changed, and one `_site` per verified revision. */
export interface ReconcileRecord extends RecordHead {
  readonly kind: "reconcile";
  /** Left out at the first revision. */
  readonly from?: string;
  readonly to: string;
  readonly changes?: readonly ReconcileChange[];
  readonly held?: readonly HeldDocument[];
  readonly verification?: Verification;
  /** That let the commits of this step in, by sha256. */
  readonly approvals?: readonly RecordApproval[];
  readonly activations?: readonly Activation[];
  /** Lists that would have made the line too long: how much stood in them, and their hash. */
  readonly omitted?: { readonly [List in ReconcileList]?: OmittedList };
}

export type ReconcileList = "changes" | "held" | "activations" | "approvals";

/** `sha256` is of the list's canonical text; what stood in it follows from the two commits. */
export interface OmittedList {
  readonly count: number;
  readonly sha256: Hex;
}

/** `before` and `after` are hashes of the document (a Dag: its specHash). */
export interface ReconcileChange {
  readonly change: "create" | "update" | "prune" | "hold";
  readonly kind: "Repository" | "Site" | "Tenant" | "Quota" | "Allowlist" | "Slo" | "Dag" | "Plugin";
  readonly name: string;
  readonly before?: Hex;
  readonly after?: Hex;
  /** Only for a Dag, the state after the change. */
  readonly armed?: boolean;
  readonly suspended?: boolean;
}

/** A document that stays at its last good version, with the finding that holds it. */
export interface HeldDocument {
  readonly path: string;
  readonly code: string;
  readonly line?: number;
  readonly col?: number;
}

/** How the revision was verified, and by whose key its head is signed. */
export interface Verification {
  readonly mode: "require" | "warn" | "none";
  /** Commits judged in this step, the head included. */
  readonly commits: number;
  readonly principal?: string;
  readonly key?: string;
  /** Codes of findings that `warn` let through. */
  readonly findings?: readonly string[];
}

/** A schedule as armed by this revision: enough to recompute its slots. Exactly one of `cron` and `every` (ms). */
export interface Activation {
  readonly dagId: string;
  readonly schedule: string;
  readonly cron?: string;
  readonly every?: number;
  readonly zone: string;
  readonly activeFrom: UtcText;
}

/** A verb of a person on the site: break-glass suspend, resume, clock accept, key rotation ... */
export interface ControlRecord extends RecordHead {
  readonly kind: "control";
  readonly verb: string;
  readonly target: string;
  readonly ticket?: string;
  readonly expiresUtc?: UtcText;
}

/** Slots of one schedule that became no run, for one reason: first, last and how many. */
export interface SkipRecord extends RecordHead {
  readonly kind: "skip";
  readonly dagId: string;
  readonly schedule: string;
  readonly reason: "not_allowed" | "suspended" | "overlap" | "quota" | "late" | "clock" | "closed";
  readonly from: UtcText;
  readonly to: UtcText;
  readonly count: number;
}

/** Starts that were refused: the first of a (dagId, code, subject) and minute, or the count of the rest. */
export interface DenialRecord extends RecordHead {
  readonly kind: "denial";
  readonly dagId: string;
  readonly trigger: RecordTrigger;
  readonly code: string;
  readonly decision?: RecordDecision;
  readonly minute: UtcText;
  readonly count: number;
}
