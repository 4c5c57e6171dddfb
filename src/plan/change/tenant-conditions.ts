import type { Steps } from "../../base/index.ts";
import type { ReadableDag } from "../desired/desired.ts";
import { findingsText } from "../finding-text.ts";
import type { Condition } from "../observed/observed.ts";
import type { DagChange, TenantPlan } from "../plan.ts";
import type { Suspended } from "../suspensions.ts";
import type { ConditionReason } from "./condition-reasons.ts";

type Draft = Omit<TenantPlan, "snapshot" | "conditions" | "said" | "findings" | "suspends"> & {
  readonly suspended: Suspended;
};
type Verdict = {
  readonly ready: boolean;
  readonly stalled: boolean;
  readonly reason: ConditionReason;
  readonly message: string;
};

/**
 * The whole set of a tenant's conditions after the plan, by (kind, name, type): Ready and Stalled of each DAG, tombstones
 * included, and of the tenant. One that says nothing new is the very object that stood before, with the revision at which
 * it was first said: a pass over a thousand DAGs writes the rows of those that changed.
 */
export function* tenantConditions(plan: Draft): Steps<readonly Condition[]> {
  const before = new SaidBefore(plan.observed.conditions);
  const said: Condition[] = plan.blocked === null ? [] : before.allOf("Dag");
  yield;
  for (const [dagId, verdict] of plan.blocked === null ? dagVerdicts(plan) : []) {
    yield;
    said.push(...before.over("Dag", dagId, verdict, plan.revision));
  }
  said.push(...before.over("Tenant", plan.tenant, tenantVerdict(plan), plan.revision));
  return said;
}

type Subject = "Dag" | "Tenant";
type Said = Partial<Record<Condition["type"], Condition>>;

/** Conditions by what they are about. */
class SaidBefore {
  readonly #byKind = new Map<string, Map<string, Said>>();

  constructor(conditions: readonly Condition[]) {
    for (const condition of conditions) {
      const names = this.#byKind.get(condition.kind) ?? new Map<string, Said>();
      this.#byKind.set(condition.kind, names);
      const said = names.get(condition.name);
      if (said === undefined) names.set(condition.name, { [condition.type]: condition });
      else said[condition.type] = condition;
    }
  }

  allOf(kind: Subject): Condition[] {
    const names = [...(this.#byKind.get(kind) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return names.flatMap(([, { Ready, Reconciling, Stalled }]) =>
      [Ready, Reconciling, Stalled].filter((condition) => condition !== undefined),
    );
  }

  /** Ready and Stalled as the verdict says; what stood before where it says the same. */
  over(kind: Subject, name: string, verdict: Verdict, revision: string): readonly [Condition, Condition] {
    const before = this.#byKind.get(kind)?.get(name);
    return [
      same(before?.Ready, verdict.ready, verdict) ?? conditionOf({ kind, name, type: "Ready" }, verdict, revision),
      same(before?.Stalled, verdict.stalled, verdict) ??
        conditionOf({ kind, name, type: "Stalled" }, verdict, revision),
    ];
  }
}

function same(before: Condition | undefined, isTrue: boolean, { reason, message }: Verdict): Condition | null {
  if (before?.status !== statusOf(isTrue)) return null;
  return before.reason === reason && before.message === message ? before : null;
}

const statusOf = (isTrue: boolean): Condition["status"] => (isTrue ? "True" : "False");

function conditionOf(
  about: { readonly kind: Subject; readonly name: string; readonly type: "Ready" | "Stalled" },
  { ready, stalled, reason, message }: Verdict,
  revision: string,
): Condition {
  const status = statusOf(about.type === "Ready" ? ready : stalled);
  return { ...about, status, reason, message, observedRevision: revision };
}

/** By dagId. */
function dagVerdicts({ desired, observed, dags, suspended }: Draft): readonly (readonly [string, Verdict])[] {
  const changes = new Map<string, DagChange>(dags.map((change) => [change.dagId, change]));
  const verdicts = new Map<string, Verdict>();
  for (const { dagId, pruned } of observed.dags)
    if (pruned || changes.get(dagId)?.kind === "prune") verdicts.set(dagId, tombstone);
  for (const dag of desired.kind === "readable" ? desired.dags : []) {
    const change = changes.get(dag.dagId);
    if (change?.kind === "hold") verdicts.set(dag.dagId, heldVerdict(change));
    else if (dag.kind === "readable") verdicts.set(dag.dagId, readableVerdict(suspended.over(dag)));
  }
  return [...verdicts].sort(([a], [b]) => (a < b ? -1 : 1));
}

const armed: Verdict = { ready: true, stalled: false, reason: "Applied", message: "armed" };
const tombstone: Verdict = { ready: false, stalled: false, reason: "Pruned", message: "no longer in the repository" };

function heldVerdict(change: Extract<DagChange, { kind: "hold" }>): Verdict {
  const at = change.from === null ? "not applied" : `held at ${change.from.specHash.slice(0, 12)}`;
  const message = `${at}: ${findingsText(change.findings, "error")}`;
  return { ready: false, stalled: true, reason: "Held", message };
}

function readableVerdict(dag: ReadableDag): Verdict {
  const message = dag.suspendedBy ?? "tenant.yaml says suspend: true";
  if (dag.suspended) return { ready: false, stalled: false, reason: "Suspended", message };
  if (dag.armed) return armed;
  return { ready: false, stalled: false, reason: "NotAllowed", message: findingsOfDag(dag) };
}

const findingsOfDag = (dag: ReadableDag): string => findingsText(dag.findings, "denied");

function tenantVerdict({ desired, dags, blocked }: Draft): Verdict {
  if (blocked?.kind === "held") {
    return { ready: false, stalled: true, reason: "TenantHeld", message: findingsText(desired.findings, "error") };
  }
  if (blocked?.kind === "freeze") {
    const message = `changes wait until ${blocked.until}: ${blocked.rationale}`;
    return { ready: false, stalled: true, reason: "Frozen", message };
  }
  if (blocked?.kind === "brake") {
    const { prunes, of, allowed } = blocked;
    const message = `${prunes} of ${of} DAGs would be pruned, ${allowed} may be without a person`;
    return { ready: false, stalled: true, reason: "PruneBrake", message };
  }
  const held = dags.filter((change) => change.kind === "hold").map((change) => change.dagId);
  if (held.length > 0) {
    const names = held.slice(0, 5).join(", ") + (held.length > 5 ? ", ..." : "");
    return { ready: false, stalled: true, reason: "Held", message: `${held.length} DAG(s) held: ${names}` };
  }
  if (desired.kind === "readable" && desired.suspended) {
    return { ready: false, stalled: false, reason: "Suspended", message: "tenant.yaml says suspend: true" };
  }
  const broken = findingsText(desired.findings, "error");
  if (broken !== "") return { ready: false, stalled: true, reason: "Held", message: broken };
  return { ready: true, stalled: false, reason: "Applied", message: "applied" };
}
