export {
  type AuditKey,
  auditIdentName,
  auditPrincipal,
  auditSignersPath,
  auditSignersText,
  keyLogPath,
  keyLogText,
} from "./audit-keys.ts";
export type { RecordBody } from "./canonical-body.ts";
export { type Checkpoint, checkpointNamespace, checkpointText, parseCheckpoint } from "./checkpoint.ts";
export { emptyFrontier, type FrontierState, MerkleFrontier, merkleLeaf } from "./merkle-tree.ts";
export {
  type RecordActor,
  type RecordDecision,
  type RecordEnvelope,
  type RecordHead,
  type RecordRationale,
  type RecordRuntime,
  recordSchemaName,
} from "./record-head.ts";
export { recordLine } from "./record-line.ts";
export { createRecordCheck, type RecordCheck } from "./record-schema.ts";
export {
  type AttemptRecordInput,
  attemptRecord,
  type RunBodyInput,
  type RunFacts,
  runBody,
  type StepRecordInput,
  stepRecord,
} from "./run-body.ts";
export type {
  ArtifactRecord,
  AttemptRecord,
  DagVersion,
  EgressRecord,
  RecordApproval,
  RecordTrigger,
  RunRecord,
  StepRecord,
} from "./run-record.ts";
export {
  batchTimestamp,
  type ChainEnd,
  inChainOrder,
  maxLineBytes,
  type SealedBatch,
  type SealedFile,
  type SealedLine,
  type SealedSegment,
  type SealInput,
  sealBatch,
  type WaitingBody,
} from "./seal-batch.ts";
export { parseSegmentPath, type SegmentName, segmentPath, stepsPath } from "./segment-path.ts";
export {
  type ControlBodyInput,
  controlBody,
  type DenialBodyInput,
  denialBody,
  type GenesisBodyInput,
  genesisBody,
  type ReconcileBodyInput,
  reconcileBody,
  reconcileSteps,
  type SkipBodyInput,
  skipBody,
} from "./site-bodies.ts";
export type {
  Activation,
  ControlRecord,
  DenialRecord,
  GenesisRecord,
  HeldDocument,
  OmittedList,
  ReconcileChange,
  ReconcileList,
  ReconcileRecord,
  SkipRecord,
  Verification,
} from "./site-record.ts";
export { type UnstartedEnd, type UnstartedRun, unstartedRunBody } from "./unstarted-run.ts";
export {
  type AuditCode,
  type AuditFinding,
  type AuditHead,
  type AuditReport,
} from "./verify/audit-report.ts";
export { type AuditReader, type AuditSource, type AuditTreeEntry, auditHistory } from "./verify/audit-source.ts";
export { type VerifyAuditOptions, verifyAudit } from "./verify/verify-audit.ts";
