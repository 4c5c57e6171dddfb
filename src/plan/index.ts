export type { DesiredDag, DesiredSite, DesiredTenant, ReadableDag, UnreadableDag } from "./desired.ts";
export type { Condition, ObservedDag, ObservedTenant } from "./observed.ts";
export type { DagAspect, DagChange, DocumentChange, Plan, TenantBlock, TenantPlan } from "./plan.ts";
export type { DagWrite, OutboxBody, TenantChange } from "./tenant-change.ts";
