export { DesiredReader, type ReadTenant, type SiteDocuments } from "./desired-reader.ts";
export { createReconciler, type Reconciler } from "./reconciler.ts";
export type { PassResult, ReconcilerDeps, ReconcilerOptions } from "./reconciler-deps.ts";
export { trustReader } from "./trust-reader.ts";
