import type { UtcText } from "../base/index.ts";
import { type Finding, sortFindings } from "../spec/index.ts";
import type { DesiredSite } from "./desired/desired.ts";
import type { ObservedTenant } from "./observed/observed.ts";
import type { Plan, TenantPlan } from "./plan.ts";
import { planTenant } from "./plan-tenant.ts";

/**
 * The plan of a whole site: one plan per desired tenant, in byte order. A tenant that was applied and is not among the
 * desired ones is left alone (who knows that it is gone says so with an empty one). `now` null: no store stands behind
 * `observed`, so watermarks and break-glass do not count.
 */
export function planChanges(
  desired: DesiredSite,
  observed: readonly ObservedTenant[],
  now: UtcText | null = null,
): Plan {
  const stands = new Map(observed.map((tenant) => [tenant.tenant, tenant]));
  const { revision, prunePercent } = desired;
  const options = { revision, prunePercent, now };
  const tenants = [...desired.tenants]
    .sort((a, b) => (a.tenant < b.tenant ? -1 : 1))
    .map((want) => planTenant(want, stands.get(want.tenant) ?? neverApplied(want.tenant), options));
  return {
    revision,
    tenants,
    findings: onlyOnce([...desired.findings, ...tenants.flatMap((plan) => plan.findings)]),
    complete: !desired.findings.some(isError) && tenants.every(isWhole),
    applyable: tenants.some((plan) => plan.blocked === null && !isTenantNoop(plan)),
  };
}

/** A tenant as it stands before anything of it was applied. */
export const neverApplied = (tenant: string): ObservedTenant => ({
  tenant,
  appliedRevision: null,
  generation: 0,
  fingerprint: null,
  suspended: false,
  snapshot: null,
  pins: {},
  dags: [],
  conditions: [],
  suspensions: [],
});

/** Nothing is to be written for any tenant. */
export const isNoop = (plan: Plan): boolean => plan.tenants.every(isTenantNoop);

/** Nothing is to be written: no change but holds that are already said, and the trees are those it was applied from. */
export function isTenantNoop(plan: TenantPlan): boolean {
  if (plan.suspends.length > 0 || plan.said.length > 0) return false;
  if (plan.blocked !== null) return true;
  const holds = plan.dags.every((change) => change.kind === "hold");
  const settled = plan.observed.fingerprint === plan.desired.fingerprint && plan.observed.appliedRevision !== null;
  return holds && plan.documents.length === 0 && settled;
}

const isError = (finding: Finding): boolean => finding.severity === "error";

const isWhole = (plan: TenantPlan): boolean =>
  plan.blocked?.kind !== "held" && plan.dags.every((change) => change.kind !== "hold") && !plan.findings.some(isError);

// A plugin of the repository is judged with each tenant: its finding is said once.
function onlyOnce(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  return sortFindings([...seen.values()]);
}
