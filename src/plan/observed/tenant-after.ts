import type { DagWrite, TenantChange } from "../change/tenant-change.ts";
import type { Condition, ObservedDag, ObservedTenant } from "./observed.ts";

/** What the store holds of a tenant once a change is committed; it says the same as reading all its rows again. */
export function tenantAfter(observed: ObservedTenant, change: TenantChange): ObservedTenant {
  return {
    tenant: observed.tenant,
    appliedRevision: change.to,
    generation: observed.generation + 1,
    fingerprint: change.fingerprint,
    suspended: change.suspended,
    snapshot: change.snapshot,
    pins: { ...Object.fromEntries(change.pins.map(({ plugin, sha256 }) => [plugin, sha256])), ...observed.pins },
    dags: dagsAfter(observed.dags, change.dags),
    conditions: conditionsAfter(observed.conditions, change.conditions),
    suspensions: observed.suspensions,
  };
}

function dagsAfter(before: readonly ObservedDag[], writes: readonly DagWrite[]): readonly ObservedDag[] {
  if (writes.length === 0) return before;
  const dags = new Map(before.map((dag) => [dag.dagId, dag]));
  for (const write of writes) dags.set(write.dagId, dagAfter(dags.get(write.dagId), write));
  return [...dags.values()].sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
}

function dagAfter(stands: ObservedDag | undefined, write: DagWrite): ObservedDag {
  switch (write.kind) {
    case "prune": {
      const suspended = stands?.suspended ?? false;
      return { dagId: write.dagId, specHash: write.from, armed: false, suspended, pruned: true, schedules: [] };
    }
    case "suspend": {
      const { dagId, from: specHash, suspended } = write;
      return { armed: false, pruned: false, schedules: [], ...stands, dagId, specHash, suspended };
    }
    case "create":
    case "update": {
      const { dagId, specHash, armed, suspended } = write;
      const schedules = write.schedules.map(({ schedule, watermark, nextDue }) => ({ schedule, watermark, nextDue }));
      return { dagId, specHash, armed, suspended, pruned: false, schedules };
    }
  }
}

function conditionsAfter(before: readonly Condition[], writes: TenantChange["conditions"]): readonly Condition[] {
  if (writes.length === 0) return before;
  const gone = new Set(writes.map(({ from }) => from));
  const kept = before.filter((condition) => !gone.has(condition));
  return [...kept, ...writes.flatMap(({ to }) => (to === null ? [] : [to]))];
}
