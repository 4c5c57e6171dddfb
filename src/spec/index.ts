export type { DagSpec, ForEachSpec, PluginRef, RetrySpec, ScheduleSpec, StepLimits, StepSpec } from "./dag-spec.ts";
export type { Finding, FindingSeverity } from "./finding.ts";
export type { PluginManifest } from "./plugin-manifest.ts";
export type { PinnedFile, TenantSnapshot } from "./tenant-snapshot.ts";
export type { Allowlist, EndpointGrant, Quota, RepositorySpec, SiteSpec, TenantSpec } from "./tenant-spec.ts";
