export type {
  AdmissionAnswer,
  AdmissionRequest,
  AdmissionStore,
  CancelAnswer,
  CancelRunRequest,
  DenialBody,
  DueSchedule,
  QueuedRun,
  QueuedRunBody,
  SkipRange,
  SkipReason,
  SlotClaim,
} from "./admission-store.ts";
export type {
  AuditOutbox,
  DrainedBatch,
  DrainedBody,
  DrainedSkip,
  PreparedBatch,
  SealedRecord,
  StoredBatch,
  TenantChain,
} from "./audit-outbox.ts";
export { createStore, type StoreDeps } from "./create-store.ts";
export type { LeaseStore, QueueStore, SweepBounds, Swept } from "./lease-store.ts";
export type {
  AttemptView,
  ConditionView,
  DagView,
  EventView,
  LedgerStore,
  RunView,
  TenantView,
} from "./ledger-store.ts";
export type {
  CommitApprovals,
  Condition,
  CurrentGrants,
  DagVersion,
  DagWrite,
  NewSite,
  ObservedDag,
  ObservedSite,
  ObservedTenant,
  OutboxBody,
  RevisionStore,
  SiteChange,
  TenantChange,
  TenantHead,
} from "./revision-store.ts";
export type { Store } from "./store.ts";
export type { Suspension, SuspensionStore } from "./suspension-store.ts";
export type {
  ArtifactRef,
  AttemptMark,
  AttemptOutcome,
  CancelRequest,
  ClaimedRun,
  EgressSummary,
  Rationale,
  RunRef,
  Settlement,
  Verdict,
  WorkerNews,
  WorkerSeam,
} from "./worker-seam.ts";
