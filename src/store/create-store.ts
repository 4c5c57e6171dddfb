import type { Clock } from "../base/index.ts";
import type { Database } from "../database/index.ts";
import type { Logger } from "../telemetry/index.ts";
import { createAdmissionStore } from "./postgres/admission.ts";
import { createAuditOutbox } from "./postgres/audit.ts";
import { createLeaseStore } from "./postgres/leases.ts";
import { createLedgerStore } from "./postgres/ledger.ts";
import { createQueueStore } from "./postgres/queue.ts";
import { createRevisionStore } from "./postgres/revision.ts";
import { createSuspensionStore } from "./postgres/suspensions.ts";
import { PostgresWorkerSeam } from "./postgres/worker-seam.ts";
import type { Store } from "./store.ts";

export interface StoreDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The store over an open database. It owns no life: seams are the caller's to start and stop. */
export function createStore(database: Database, { clock, log }: StoreDeps): Store {
  return {
    revision: createRevisionStore(database),
    admission: createAdmissionStore(database),
    audit: createAuditOutbox(database, clock),
    ledger: createLedgerStore(database, clock),
    leases: createLeaseStore(database),
    queue: createQueueStore(database, clock),
    suspensions: createSuspensionStore(database),
    createWorkerSeam: (worker) => new PostgresWorkerSeam({ database, clock, log }, worker),
  };
}
