import type { CodeName, UtcText } from "../base/index.ts";
import type { RecordApproval } from "../record/index.ts";
import type { Actor, RunContext, Trigger } from "../run/index.ts";
import type { Rationale } from "./worker-seam.ts";

export interface AdmissionStore {
  /** Armed, unsuspended or not: every schedule whose next slot is at or before `now`, in (nextDue, tenant, dagId, schedule) order. */
  dueSchedules(now: Date, limit: number): Promise<readonly DueSchedule[]>;
  /** The earliest next slot of the site, or null: how long the tick may sleep. */
  nextDue(): Promise<Date | null>;
  /**
   * One statement for all: claims each slot (the watermark moves from `from` to `to`, else `stale`) and admits its run,
   * or counts it into an open skip range; a request of another trigger becomes a run or a `denial` body in the outbox.
   * Answers in the order of the items. The caller wakes the worker.
   */
  admit(items: readonly AdmissionRequest[]): Promise<readonly AdmissionAnswer[]>;
  /** Cancels: a queued run is settled at once, a running one is asked to end. */
  cancel(request: CancelRunRequest): Promise<CancelAnswer>;
}

export interface DueSchedule {
  readonly tenant: string;
  readonly dagId: string;
  readonly schedule: string;
  readonly watermark: Date;
  /** The first slot after the watermark. */
  readonly nextDue: Date;
  readonly specHash: string;
  readonly specText: string;
  /** Why its slots become no run now; null = armed. (`closed` is the scheduler's own knowledge.) */
  readonly blocked: "not_allowed" | "suspended" | null;
}

export interface AdmissionRequest {
  readonly tenant: string;
  readonly dagId: string;
  readonly trigger: Trigger;
  /** The version that the request was made for: another one now is `stale`. null = whatever is applied. */
  readonly specHash: string | null;
  readonly inputsText: string;
  readonly inputsHash: string;
  readonly runId: string;
  readonly runToken: string;
  readonly context: RunContext;
  readonly actor: Actor;
  readonly rationale: readonly Rationale[];
  readonly traceId: string;
  /** The admission instant by the daemon's clock. */
  readonly now: UtcText;
  /** Queue order within a tenant: the slot for trigger `schedule`, else `now`. */
  readonly instant: UtcText;
  /** The site starts nothing now: a key that started a run still answers it, any other is refused with ADMISSION_CLOSED. */
  readonly closed: boolean;
  /** Only for trigger `schedule`. */
  readonly claim: SlotClaim | null;
  /** The denial body without `count`, used when a request that is no slot is refused; null for a slot. */
  readonly denial: DenialBody | null;
  /** Body of a waiting run that this one takes the place of (`overlap: latest`); it ends as cancelled at `now`. */
  readonly superseded: QueuedRunBody;
}

export interface SlotClaim {
  readonly from: Date;
  readonly to: Date;
  /** First slot after `to`, null = never again. */
  readonly nextDue: Date | null;
  /** Slots in (from, to) that become no run, oldest first, merged into skip ranges. */
  readonly skips: readonly SkipRange[];
  /** The slot itself is not to run (too late): it is in `skips`. */
  readonly runs: boolean;
}

export type SkipReason = "not_allowed" | "suspended" | "overlap" | "quota" | "late" | "clock" | "closed";

export interface SkipRange {
  readonly reason: SkipReason;
  readonly from: UtcText;
  readonly to: UtcText;
  readonly count: number;
}

/** Makes the canonical body of a denial for the code that admission found; pure (record/). */
export type DenialBody = (code: CodeName, which: 1 | 2) => { readonly recordId: string; readonly bodyText: string };

export type AdmissionAnswer =
  | { readonly kind: "admitted"; readonly runId: string; readonly runNo: number }
  /** The same key and inputs: the first run, even if the spec moved on. */
  | { readonly kind: "existing"; readonly runId: string }
  | { readonly kind: "refused"; readonly code: CodeName }
  | { readonly kind: "skipped"; readonly reason: SkipReason }
  /** The watermark or version moved: look again. */
  | { readonly kind: "stale" };

export interface CancelRunRequest {
  readonly tenant: string;
  readonly runId: string;
  readonly actor: Actor;
  readonly rationale: string | null;
  readonly now: UtcText;
  /** Body of the record of a run that ends before it ran (record/). */
  readonly bodyOf: QueuedRunBody;
}

/** Makes the record of a run that ends before it ran, status `cancelled`; pure (record/). */
export type QueuedRunBody = (run: QueuedRun) => {
  readonly recordId: string;
  readonly bodyText: string;
  readonly outputsHash: string;
};

/** A queued run as its record needs it. */
export interface QueuedRun {
  readonly tenant: string;
  readonly runId: string;
  readonly runNo: number;
  readonly dagId: string;
  readonly specHash: string;
  readonly specText: string;
  readonly commit: string;
  readonly policyRevision: string;
  readonly snapshot: string;
  /** Canonical text of that TenantSnapshot (joined from `blob`): its record names the plugins of steps that never ran. */
  readonly snapshotText: string;
  /** Of `commit` and `policyRevision`, by sha256. */
  readonly approvals: readonly RecordApproval[];
  readonly trigger: Trigger;
  readonly inputsHash: string;
  readonly runToken: string;
  readonly rationale: readonly Rationale[];
  readonly actor: Actor;
  readonly traceId: string;
  readonly context: RunContext;
  readonly queuedUtc: UtcText;
}

export type CancelAnswer = { readonly kind: "cancelled" | "asked" | "finished" | "unknown" };
