import type { DesiredTenant } from "../desired/desired.ts";
import { neverApplied } from "../plan-changes.ts";
import { planTenant } from "../plan-tenant.ts";
import type { ObservedTenant } from "./observed.ts";

/**
 * What a store would hold once `desired` was applied to nothing at `revision`: the base of a plan between two revisions,
 * with no daemon to ask. What does not decode there is absent; a tenant that is unreadable as a whole was never applied.
 */
export function appliedState(desired: DesiredTenant, revision: string): ObservedTenant {
  const nothing = neverApplied(desired.tenant);
  const plan = planTenant(desired, nothing, { revision, prunePercent: 100, now: null });
  if (plan.blocked !== null || desired.kind === "unreadable") return nothing;
  return {
    tenant: desired.tenant,
    appliedRevision: revision,
    generation: 1,
    fingerprint: desired.fingerprint,
    suspended: desired.suspended,
    snapshot: plan.snapshot,
    pins: {},
    dags: plan.dags.flatMap((change) => {
      if (change.kind !== "create") return [];
      const { dagId, specHash, armed, suspended } = change.to;
      return [{ dagId, specHash, armed, suspended, pruned: false, schedules: [] }];
    }),
    conditions: plan.conditions,
    suspensions: [],
  };
}
