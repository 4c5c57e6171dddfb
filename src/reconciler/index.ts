export { type BreakGlass, createBreakGlass } from "./break-glass.ts";
export {
  DesiredReader,
  type ReadTenant,
  type SiteDocuments,
  type SiteSecrets,
  type SpecSource,
} from "./desired-reader.ts";
export { createHistoryAcceptance, type HistoryAcceptance } from "./history-acceptance.ts";
export { type LintDeps, type LintFinding, type LintReport, lintRevision } from "./lint/lint-revision.ts";
export { createReconciler, type Reconciler } from "./reconciler.ts";
export type { PassResult, ReconcilerDeps, ReconcilerOptions } from "./reconciler-deps.ts";
export { conditionReason } from "./site-state.ts";
export { trustReader } from "./trust-reader.ts";
