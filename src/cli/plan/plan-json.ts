import type { DagChange, Plan, TenantPlan } from "../plan/index.ts";
import type { RepositoryPlan } from "./repository-plan.ts";

/** The plan as plain data: names and hashes, no spec texts. */
export function jsonOfPlan({ plan, comparedWith, stalled }: RepositoryPlan): object {
  return {
    revision: plan.revision,
    comparedWith,
    stalled,
    complete: plan.complete,
    applyable: plan.applyable,
    tenants: plan.tenants.map(jsonOfTenant),
    findings: plan.findings satisfies Plan["findings"],
  };
}

const jsonOfTenant = ({ tenant, observed, blocked, dags, documents }: TenantPlan): object => ({
  tenant,
  from: observed.appliedRevision,
  blocked,
  dags: dags.map(jsonOfDag),
  documents: documents.map(({ kind, document, name }) => ({ kind, document, name })),
});

function jsonOfDag(change: DagChange): object {
  const { kind, dagId, from } = change;
  const before = { kind, dagId, from: from?.specHash ?? null };
  switch (change.kind) {
    case "create":
      return { ...before, to: change.to.specHash, armed: change.to.armed };
    case "update":
      return { ...before, to: change.to.specHash, armed: change.to.armed, aspects: change.aspects };
    case "prune":
      return { ...before, to: null };
    case "hold":
      return { ...before, to: null, path: change.path };
  }
}
