export { type BreakGlass, createBreakGlass } from "./control/break-glass.ts";
export { createHistoryAcceptance, type HistoryAcceptance } from "./control/history-acceptance.ts";
export { type LintDeps, type LintFinding, type LintReport, lintRevision } from "./lint/lint-revision.ts";
export {
  DesiredReader,
  type ReadTenant,
  type SiteDocuments,
  type SiteSecrets,
  type SpecSource,
} from "./read/desired-reader.ts";
export { trustReader } from "./read/trust-reader.ts";
export { createReconciler, type Reconciler } from "./reconciler.ts";
export type { PassResult, ReconcilerDeps, ReconcilerOptions } from "./reconciler-deps.ts";
export { conditionReason } from "./site-state.ts";
