import type { Service } from "../base/index.ts";
import type { AdmissionStore } from "./admission-store.ts";
import type { AuditOutbox } from "./audit-outbox.ts";
import type { LeaseStore, QueueStore } from "./lease-store.ts";
import type { LedgerStore } from "./ledger-store.ts";
import type { RevisionStore } from "./revision-store.ts";
import type { SuspensionStore } from "./suspension-store.ts";
import type { WorkerSeam } from "./worker-seam.ts";

/** Everything that engines and doors may ask of PostgreSQL: the only room with SQL stands behind it. */
export interface Store {
  readonly revision: RevisionStore;
  readonly admission: AdmissionStore;
  readonly audit: AuditOutbox;
  readonly ledger: LedgerStore;
  readonly leases: LeaseStore;
  readonly queue: QueueStore;
  readonly suspensions: SuspensionStore;
  /** The local seam of a registered worker: one loop on one connection. Unstarted. */
  createWorkerSeam(worker: { readonly workerId: string; readonly epoch: number }): WorkerSeam & Service;
}
