import type { Steps } from "../base/index.ts";
import type { ReadableDag } from "./desired.ts";
import { findingsText } from "./finding-text.ts";
import type { Condition } from "./observed.ts";
import type { DagChange, TenantPlan } from "./plan.ts";
import type { Suspended } from "./suspensions.ts";

/** CamelCase, a list of its own. */
export type ConditionReason =
  | "Applied"
  | "NotAllowed"
  | "Held"
  | "Suspended"
  | "Pruned"
  | "TenantHeld"
  | "PruneBrake"
  | "Frozen";

type Draft = Omit<TenantPlan, "snapshot" | "conditions" | "findings" | "suspends"> & { readonly suspended: Suspended };
type Verdict = {
  readonly ready: boolean;
  readonly stalled: boolean;
  readonly reason: ConditionReason;
  readonly message: string;
};

/**
 * The whole set of a tenant's conditions after the plan, by (kind, name, type): Ready and Stalled of each DAG, tombstones
 * included, and of the tenant. One that says nothing new keeps the revision at which it was first said: a pass over a
 * thousand DAGs writes the rows of those that changed.
 */
export function* tenantConditions(plan: Draft): Steps<readonly Condition[]> {
  const dags = plan.blocked === null ? dagVerdicts(plan) : [];
  const kept = plan.blocked === null ? [] : plan.observed.conditions.filter((condition) => condition.kind === "Dag");
  const before = new Map(plan.observed.conditions.map((condition) => [keyOf(condition), condition]));
  const said = new Map(kept.map((condition) => [keyOf(condition), condition]));
  const say = (wanted: readonly Unstamped[]): void => {
    for (const condition of wanted) {
      const key = keyOf(condition);
      said.set(key, stampOf(condition, before.get(key), plan.revision));
    }
  };
  for (const [dagId, verdict] of dags) {
    yield;
    say(conditionsOf("Dag", dagId, verdict));
  }
  say(conditionsOf("Tenant", plan.tenant, tenantVerdict(plan)));
  yield;
  return [...said.keys()].sort().flatMap((key) => said.get(key) ?? []);
}

/** Whether two sets say the same, whatever the revision at which they said it. */
export function sameConditions(a: readonly Condition[], b: readonly Condition[]): boolean {
  if (a.length !== b.length) return false;
  // What says nothing new is the very one that stood before: of ten thousand DAGs few are spelt out.
  const stands = new Set(a);
  const others = b.filter((condition) => !stands.has(condition));
  const said = new Set(others.length === 0 ? [] : a.map(saying));
  return others.every((condition) => said.has(saying(condition)));
}

const keyOf = ({ kind, name, type }: Unstamped): string => `${kind}/${name}/${type}`;
const saying = (c: Condition): string => JSON.stringify([c.kind, c.name, c.type, c.status, c.reason, c.message]);

type Unstamped = Omit<Condition, "observedRevision">;

function stampOf(condition: Unstamped, before: Condition | undefined, revision: string): Condition {
  const stamped = { ...condition, observedRevision: revision };
  const isSame =
    before?.status === condition.status && before.reason === condition.reason && before.message === condition.message;
  return isSame ? before : stamped;
}

function conditionsOf(kind: "Dag" | "Tenant", name: string, verdict: Verdict): readonly Condition[] {
  const { ready, stalled, reason, message } = verdict;
  const of = (type: "Ready" | "Stalled", isTrue: boolean): Condition => ({
    ...{ kind, name, type, status: isTrue ? "True" : "False", reason, message },
    observedRevision: null,
  });
  return [of("Ready", ready), of("Stalled", stalled)];
}

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
  return [...verdicts];
}

const tombstone: Verdict = { ready: false, stalled: false, reason: "Pruned", message: "no longer in the repository" };

function heldVerdict(change: Extract<DagChange, { kind: "hold" }>): Verdict {
  const at = change.from === null ? "not applied" : `held at ${change.from.specHash.slice(0, 12)}`;
  const message = `${at}: ${findingsText(change.findings, "error")}`;
  return { ready: false, stalled: true, reason: "Held", message };
}

function readableVerdict(dag: ReadableDag): Verdict {
  const message = dag.suspendedBy ?? "tenant.yaml says suspend: true";
  if (dag.suspended) return { ready: false, stalled: false, reason: "Suspended", message };
  if (dag.armed) return { ready: true, stalled: false, reason: "Applied", message: "armed" };
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
