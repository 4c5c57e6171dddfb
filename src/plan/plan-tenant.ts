import { canonicalText, drained, type Steps, type UtcText } from "../base/index.ts";
import {
  effectiveAllowlist,
  effectiveQuota,
  type Finding,
  overrideMark,
  sortFindings,
  type TenantSnapshot,
} from "../spec/index.ts";
import { conditionWrites } from "./change/condition-writes.ts";
import { tenantConditions } from "./change/tenant-conditions.ts";
import type { DesiredDag, DesiredTenant, ReadableDag } from "./desired/desired.ts";
import { documentChanges } from "./document-changes.ts";
import type { ObservedDag, ObservedTenant } from "./observed/observed.ts";
import { pinnedSnapshot, type ReadableTenant, refOf } from "./pinned-snapshot.ts";
import type { DagAspect, DagChange, DocumentChange, TenantBlock, TenantPlan } from "./plan.ts";
import { Suspended, suspendWrites } from "./suspensions.ts";

export interface PlanOptions {
  readonly revision: string;
  /** brakes.prunePercent. */
  readonly prunePercent: number;
  /** Watermarks beyond it are pulled back to it; null where no store stands behind what was observed. */
  readonly now: UtcText | null;
}

/**
 * What leads from the applied state of a tenant to the desired one; total and deterministic. A DAG that does not decode,
 * or whose plugin's bytes changed under an applied version, is held and never pruned. Where the tenant is unreadable, or
 * more would be pruned than the brake lets pass, the whole tenant stays as it is.
 */
export const planTenant = (desired: DesiredTenant, observed: ObservedTenant, options: PlanOptions): TenantPlan =>
  drained(planSteps(desired, observed, options));

/** The same, pausing at each DAG: a tenant may have ten thousand. */
export function* planSteps(wanted: DesiredTenant, observed: ObservedTenant, options: PlanOptions): Steps<TenantPlan> {
  const suspended = new Suspended(observed.suspensions, options.now);
  const desired = { ...wanted, fingerprint: wanted.fingerprint + quotaMark(wanted, options.now) + suspended.mark };
  const draft = { tenant: desired.tenant, revision: options.revision, desired, observed, suspended };
  if (desired.kind === "unreadable") {
    return yield* blockedPlan({ ...draft, dags: [], documents: heldDocuments(desired), blocked: { kind: "held" } });
  }
  const dags = yield* dagChanges(desired, observed, { now: options.now, suspended });
  const blocked = brakeOf(dags, observed, options.prunePercent);
  if (blocked !== null) return yield* blockedPlan({ ...draft, dags, documents: [], blocked });
  const holds = dags.filter((change) => change.kind === "hold");
  const held = new Set(holds.map((change) => change.dagId));
  const snapshot = pinnedSnapshot(desired, observed, {
    revision: options.revision,
    dags: desired.dags.filter((dag): dag is ReadableDag => dag.kind === "readable" && !held.has(dag.dagId)),
    keepsPlugins: holds.length > 0,
    pinsAllFiles: holds.some((change) => change.from !== null),
  });
  const documents = documentChanges(observed, { suspended: desired.suspended, snapshot });
  yield;
  const freeze = dags.length > holds.length || documents.length > 0 ? freezeOf(desired, observed, options.now) : null;
  if (freeze !== null) return yield* blockedPlan({ ...draft, dags, documents: [], blocked: freeze });
  return yield* finishedPlan({ ...draft, dags, documents, blocked: null }, snapshot);
}

/** A tenant is dirty again when an override ends: what it armed may have to stop. */
const quotaMark = (wanted: DesiredTenant, now: UtcText | null): string =>
  wanted.kind === "unreadable" || now === null ? "" : overrideMark(wanted.quota, new Date(now));

type Draft = Omit<TenantPlan, "snapshot" | "conditions" | "said" | "findings" | "suspends"> & {
  readonly suspended: Suspended;
};

const blockedPlan = (draft: Draft): Steps<TenantPlan> =>
  finishedPlan(draft, draft.observed.snapshot ?? emptySnapshot(draft.revision));

function* finishedPlan({ suspended, ...draft }: Draft, snapshot: TenantSnapshot): Steps<TenantPlan> {
  const { desired, observed, dags, blocked } = draft;
  const wanted = desired.kind === "readable" && desired.suspended;
  const suspends = suspendWrites(observed, { dags, blocked, wanted }, suspended);
  const findings = findingsOf(draft.desired, draft.dags);
  yield;
  const conditions = yield* tenantConditions({ ...draft, suspended });
  const said = conditionWrites(observed.conditions, conditions);
  return { ...draft, suspends, snapshot, findings, conditions, said };
}

// A tenant that was never readable has the defaults and no grant, hence no DAG that runs.
const emptySnapshot = (revision: string): TenantSnapshot => ({
  revision,
  quota: effectiveQuota(null),
  allowlist: effectiveAllowlist(null),
  plugins: {},
  files: [],
  secrets: [],
});

function heldDocuments({ tenant, findings }: DesiredTenant): readonly DocumentChange[] {
  const kinds = { tenant: "Tenant", quota: "Quota", allowlist: "Allowlist" } as const;
  return Object.entries(kinds).flatMap(([file, document]) => {
    const path = `tenants/${tenant}/${file}.yaml`;
    const unreadable = findings.some((finding) => finding.path === path && finding.severity === "error");
    return unreadable ? [{ kind: "hold", document, name: tenant, from: null, to: null } as const] : [];
  });
}

function* dagChanges(
  desired: ReadableTenant,
  observed: ObservedTenant,
  { now, suspended }: { readonly now: UtcText | null; readonly suspended: Suspended },
): Steps<readonly DagChange[]> {
  const wanted = new Map(desired.dags.map((dag) => [dag.dagId, dag]));
  const stands = new Map(observed.dags.map((dag) => [dag.dagId, dag]));
  // Key order: two replicas that plan the same revision must take row locks in the same order.
  const ids = [...new Set([...wanted.keys(), ...stands.keys()])].sort();
  const changed = mutatedPlugins(desired, observed);
  const changes: DagChange[] = [];
  for (const dagId of ids) {
    yield;
    const inGit = wanted.get(dagId) ?? null;
    const want = inGit?.kind === "readable" ? suspended.over(inGit) : inGit;
    const mutated = want === null ? [] : mutations(want, changed);
    const renamed = renamedOf(want, { wanted, stands });
    const change = dagChange(want, stands.get(dagId) ?? null, { mutated, now, renamed });
    if (change !== null) changes.push(change);
  }
  return changes;
}

/** A name that still stands in the repository is not taken over. */
function renamedOf(
  want: DesiredDag | null,
  {
    wanted,
    stands,
  }: { readonly wanted: ReadonlyMap<string, DesiredDag>; readonly stands: ReadonlyMap<string, ObservedDag> },
): ObservedDag | null {
  if (want?.kind !== "readable" || want.renamedFrom === null || wanted.has(want.renamedFrom)) return null;
  const old = stands.get(want.renamedFrom) ?? null;
  return old === null || old.pruned ? null : old;
}

interface DagGround {
  readonly mutated: readonly Finding[];
  readonly now: UtcText | null;
  readonly renamed: ObservedDag | null;
}

function dagChange(
  want: DesiredDag | null,
  stands: ObservedDag | null,
  { mutated, now, renamed }: DagGround,
): DagChange | null {
  const live = stands === null || stands.pruned ? null : stands;
  if (want === null) return live === null ? null : { kind: "prune", dagId: live.dagId, from: live };
  const { dagId, path } = want;
  if (want.kind === "unreadable") return { kind: "hold", dagId, from: live, path, findings: want.findings };
  if (mutated.length > 0) return { kind: "hold", dagId, from: live, path, findings: mutated };
  if (live === null) return { kind: "create", dagId, from: stands, to: want, renamed };
  const aspects = aspectsOf(want, live, now);
  return aspects.length === 0 ? null : { kind: "update", dagId, from: live, to: want, aspects };
}

function aspectsOf(want: ReadableDag, live: ObservedDag, now: UtcText | null): readonly DagAspect[] {
  const differs = {
    spec: want.specHash !== live.specHash,
    armed: want.armed !== live.armed,
    suspended: want.suspended !== live.suspended,
    // A clock that was wrong once must not keep a schedule asleep until its future has come.
    watermark: now !== null && live.schedules.some((schedule) => schedule.watermark > now),
  };
  return (["spec", "armed", "suspended", "watermark"] as const).filter((aspect) => differs[aspect]);
}

/** A plugin version that runs were ever pinned to must not come back with other content. */
function mutatedPlugins(desired: ReadableTenant, observed: ObservedTenant): ReadonlySet<string> {
  const { pins, snapshot } = observed;
  const changed = Object.entries(desired.plugins).filter(([ref, now]) => {
    const [pinned, before] = [pins[ref], snapshot?.plugins[ref]];
    if (pinned !== undefined) return pinned !== desired.pluginHashes[ref];
    return before !== undefined && canonicalText(before) !== canonicalText(now);
  });
  return new Set(changed.map(([ref]) => ref));
}

function mutations(dag: DesiredDag, changed: ReadonlySet<string>): readonly Finding[] {
  if (dag.kind === "unreadable" || changed.size === 0) return [];
  const refs = new Set([...dag.spec.steps, ...dag.spec.finally].map((step) => refOf(step.uses)));
  return [...refs].sort().flatMap((ref) => {
    if (!changed.has(ref)) return [];
    const message = `plugin ${ref} is not what it was when it was applied`;
    const fix = "Restore it, and make the change a new version.";
    const place = { line: 0, col: 0, pointer: "" };
    return [{ code: "PLUGIN_MUTATED", severity: "error", path: dag.path, ...place, message, fix } as const];
  });
}

/** A tenant must be able to begin: one that was never applied is not frozen. */
function freezeOf({ freeze }: ReadableTenant, observed: ObservedTenant, now: UtcText | null): TenantBlock | null {
  if (now === null || observed.appliedRevision === null) return null;
  const window = freeze.find(({ from, until }) => from <= now && now < until);
  return window === undefined ? null : { kind: "freeze", until: window.until, rationale: window.rationale };
}

function brakeOf(dags: readonly DagChange[], observed: ObservedTenant, percent: number): TenantBlock | null {
  // A DAG that goes on under another name is not gone.
  const renamed = new Set(dags.flatMap((change) => (change.kind === "create" ? (change.renamed?.dagId ?? []) : [])));
  const prunes = dags.filter(({ kind, dagId }) => kind === "prune" && !renamed.has(dagId)).length;
  const of = observed.dags.filter((dag) => !dag.pruned).length;
  // Of a few DAGs one is always more than the share: one alone passes, unless the brake is fully drawn.
  const allowed = percent === 0 ? 0 : Math.max(1, Math.floor((of * percent) / 100));
  return prunes > allowed ? { kind: "brake", prunes, of, allowed } : null;
}

const findingsOf = (desired: DesiredTenant, dags: readonly DagChange[]): readonly Finding[] =>
  sortFindings([
    ...desired.findings,
    ...(desired.kind === "readable" ? desired.dags.flatMap((dag) => dag.findings) : []),
    ...dags.flatMap((change) =>
      change.kind === "hold" ? change.findings.filter((finding) => finding.code === "PLUGIN_MUTATED") : [],
    ),
  ]);
