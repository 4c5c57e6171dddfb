import { type Json, type JsonObject, type UtcText, utcText } from "../../base/index.ts";
import { defaults, effectiveDag, type Finding, type TenantSnapshot } from "../../spec/index.ts";
import type { ChangeDemands, GroundsDiff, TrustWalk } from "../../trust/index.ts";
import type { DagAspect, DagChange, DocumentChange, Plan, TenantBlock, TenantPlan } from "../plan.ts";
import { type FieldChange, fieldDiff } from "./field-diff.ts";
import { type Firing, nextFirings } from "./firing-times.ts";
import { type GrantDiff, grantDiff } from "./grant-diff.ts";
import { type QuotaEffect, quotaEffect, type SiteCapacity, siteCapacity, type TenantQuotas } from "./quota-effect.ts";

/** A run that has not ended while its DAG changes. */
export interface TouchedRun {
  readonly runId: string;
  readonly runNo: number;
  readonly state: string;
  /** Queued runs of a pruned or suspended DAG are cancelled, everything else ends as it began. */
  readonly effect: "ends as it began" | "is cancelled";
}

export interface DagReport {
  readonly kind: DagChange["kind"];
  readonly dagId: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Afterwards. */
  readonly armed: boolean;
  readonly wasArmed: boolean;
  /** Afterwards. */
  readonly suspended: boolean;
  /** Of an update: what of it differs. */
  readonly aspects: readonly DagAspect[];
  readonly fields: readonly FieldChange[];
  readonly firing: { readonly before: readonly Firing[]; readonly after: readonly Firing[] };
  /** null = nobody asked a daemon. */
  readonly runs: readonly TouchedRun[] | null;
}

export interface TenantReport {
  readonly tenant: string;
  readonly from: string | null;
  readonly blocked: TenantBlock | null;
  readonly dags: readonly DagReport[];
  readonly documents: readonly Pick<DocumentChange, "kind" | "document" | "name">[];
  readonly quota: QuotaEffect;
  readonly grants: GrantDiff;
}

/** Everything that a plan means for people; a plain value, the same on every machine. */
export interface PlanReport {
  readonly from: string | null;
  readonly to: string;
  /** Firing times are counted from here. */
  readonly asOf: UtcText;
  readonly complete: boolean;
  readonly applyable: boolean;
  readonly tenants: readonly TenantReport[];
  readonly capacity: SiteCapacity;
  /** null = the site that is planned for is not known: for every tenant of the repository. */
  readonly site: string | null;
  /** null = compared with nothing, so nobody's rules apply. */
  readonly authority: PlanAuthority | null;
  /** The first commit that the daemon would not follow, and why. */
  readonly stalled: TrustWalk["stalled"];
  readonly findings: readonly Finding[];
}

/** Whose change it may be, by the rules of what it starts from. */
export interface PlanAuthority extends ChangeDemands {
  /** Who may do more afterwards, and who less. */
  readonly people: GroundsDiff;
}

export interface ReportContext {
  readonly from: string | null;
  readonly asOf: Date;
  /** Steps at once that the site's hosts allow; null where unknown. */
  readonly hosts: number | null;
  /** Normal form of a DAG as it stands, null = none. */
  specTextOf(tenant: string, dagId: string): string | null;
  readonly site: string | null;
  readonly authority: PlanAuthority | null;
  readonly stalled: TrustWalk["stalled"];
  /** Runs that have not ended; null where no daemon can be asked. */
  unfinished(tenant: string, dagId: string): readonly Omit<TouchedRun, "effect">[] | null;
}

const firingsShown = 5;

/** What a plan changes, field by field, with its effect on schedules, quotas, grants and runs under way. Pure. */
export function reportOf(plan: Plan, context: ReportContext): PlanReport {
  const quotas = plan.tenants.map(quotasOf);
  return {
    from: context.from,
    to: plan.revision,
    asOf: utcText(context.asOf),
    complete: plan.complete,
    applyable: plan.applyable,
    tenants: plan.tenants.map((tenant, i) => tenantReport(tenant, context, { quotas, own: i })),
    capacity: siteCapacity(quotas, context.hosts),
    ...{ site: context.site, authority: context.authority, stalled: context.stalled },
    findings: plan.findings,
  };
}

function quotasOf({ tenant, observed, snapshot, desired, blocked }: TenantPlan): TenantQuotas {
  const applied = observed.appliedRevision === null ? null : (observed.snapshot?.quota ?? null);
  const after = blocked === null && desired.kind === "readable" ? snapshot.quota : applied;
  return { tenant, before: applied, after };
}

function tenantReport(
  plan: TenantPlan,
  context: ReportContext,
  { quotas, own }: { readonly quotas: readonly TenantQuotas[]; readonly own: number },
): TenantReport {
  const before: TenantSnapshot | null = plan.observed.appliedRevision === null ? null : plan.observed.snapshot;
  const after = plan.blocked === null ? plan.snapshot : before;
  const mine = quotas[own] ?? { tenant: plan.tenant, before: null, after: null };
  return {
    tenant: plan.tenant,
    from: plan.observed.appliedRevision,
    blocked: plan.blocked,
    dags: plan.dags.map((change) => dagReport(plan.tenant, change, context)),
    documents: plan.documents.map(({ kind, document, name }) => ({ kind, document, name })),
    quota: quotaEffect(mine, quotas, context.hosts),
    grants: grantDiff(before?.allowlist ?? null, after?.allowlist ?? null),
  };
}

/** A DAG on one side of the plan. */
interface DagState {
  readonly specHash: string | null;
  readonly specText: string | null;
  readonly armed: boolean;
  readonly suspended: boolean;
}

const absent: DagState = { specHash: null, specText: null, armed: false, suspended: false };

function stateBefore(tenant: string, { dagId, from }: DagChange, context: ReportContext): DagState {
  if (from === null || from.pruned) return absent;
  const { specHash, armed, suspended } = from;
  return { specHash, armed, suspended, specText: context.specTextOf(tenant, dagId) };
}

function stateAfter(change: DagChange, before: DagState): DagState {
  switch (change.kind) {
    case "create":
    case "update":
      return change.to;
    case "hold":
      return before;
    case "prune":
      return absent;
  }
}

function dagReport(tenant: string, change: DagChange, context: ReportContext): DagReport {
  const before = stateBefore(tenant, change, context);
  const after = stateAfter(change, before);
  return {
    kind: change.kind,
    dagId: change.dagId,
    from: before.specHash,
    to: after.specHash,
    armed: after.armed,
    wasArmed: before.armed,
    suspended: after.suspended,
    aspects: change.kind === "update" ? change.aspects : [],
    fields: change.kind === "update" ? specDiff(before, after) : [],
    firing: { before: firingsOf(before, context.asOf), after: firingsOf(after, context.asOf) },
    runs: touchedRuns(change, after, context.unfinished(tenant, change.dagId)),
  };
}

function touchedRuns(
  { kind }: DagChange,
  { suspended }: DagState,
  unfinished: readonly Omit<TouchedRun, "effect">[] | null,
): readonly TouchedRun[] | null {
  const ends = kind === "prune" || (kind === "update" && suspended);
  if (unfinished === null) return null;
  return unfinished.map((run) => ({
    ...run,
    effect: ends && run.state === "queued" ? "is cancelled" : "ends as it began",
  }));
}

function specDiff(before: DagState, after: DagState): readonly FieldChange[] {
  if (before.specText === null || after.specText === null) return [];
  return fieldDiff(specOf(before.specText), specOf(after.specText));
}

/** The spec as people know it: a lone schedule has its default name, by which it is compared. */
function specOf(text: string): Json {
  const { spec } = JSON.parse(text) as { readonly spec: { readonly schedules?: readonly JsonObject[] } & JsonObject };
  if (spec.schedules === undefined) return spec;
  return { ...spec, schedules: spec.schedules.map((schedule) => ({ name: defaults.schedule.name, ...schedule })) };
}

function firingsOf({ specText, armed, suspended }: DagState, asOf: Date): readonly Firing[] {
  if (specText === null || !armed || suspended) return [];
  return nextFirings(effectiveDag(specText).schedules, asOf, firingsShown);
}
