import type { Clock, CodeName, Gate } from "../base/index.ts";
import type { Compute } from "../compute/index.ts";
import type { RecordRuntime } from "../record/index.ts";
import type { AdmissionStore, LedgerStore, SkipReason } from "../store/index.ts";
import type { Logger } from "../telemetry/index.ts";

export interface SchedulerDeps {
  readonly admission: AdmissionStore;
  readonly compute: Pick<Compute, "evaluate">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Closed: slots become skips of reason `closed`, starts are refused with ADMISSION_CLOSED. */
  readonly gate: Gate;
  /**
   * True: the clock is not to be trusted, or no pass has judged the site yet. No slot is looked at, none is skipped; they
   * are caught up as `catchUp` says.
   */
  readonly holdsSlots: () => boolean;
  /** 16 random bytes for a trace id. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Called when a run was admitted. */
  readonly wakeWorker: () => void;
  /** Called for what became no run: metrics. */
  readonly onRefused: (
    tenant: string,
    outcome: "rejected" | "skipped",
    reason: SkipReason | CodeName,
    count: number,
  ) => void;
}

export interface StarterDeps extends SchedulerDeps {
  readonly ledger: Pick<LedgerStore, "getDag">;
}

/** What the records of this installation say of themselves. */
export interface SiteFacts {
  readonly site: string;
  readonly runtime: RecordRuntime;
}
