import { canonicalText, drained, type Steps, type UtcText } from "../../base/index.ts";
import { nextSlot } from "../../calendar/index.ts";
import type { ReadableDag } from "../desired/desired.ts";
import { newsOf } from "../held-news.ts";
import type { ObservedDag } from "../observed/observed.ts";
import type { DagChange, SuspendWrite, TenantPlan } from "../plan.ts";
import type { DagWrite, OutboxBody, TenantChange } from "./tenant-change.ts";

export interface ChangeParts {
  readonly now: UtcText;
  /** Content of `pinnedBlobs(plan.snapshot)` that the store does not hold yet. */
  readonly blobs: TenantChange["blobs"];
  /** Of the plugins of both snapshots, those that `observed.pins` does not name. */
  readonly pins: TenantChange["pins"];
  /** Made from `reconcileFacts`; null where that is null. */
  readonly record: OutboxBody | null;
}

/**
 * What the store is to write for a plan that is not a noop. Of a blocked plan: the conditions alone, everything else as
 * it stands (also the fingerprint, so that the tenant stays dirty until it can be applied).
 */
export const toTenantChange = (plan: TenantPlan, parts: ChangeParts): TenantChange => drained(changeSteps(plan, parts));

/** The same, pausing at each DAG. */
export function* changeSteps(plan: TenantPlan, { now, blobs, pins, record }: ChangeParts): Steps<TenantChange> {
  const { tenant, observed, desired, snapshot, said: conditions } = plan;
  const { appliedRevision: from, generation } = observed;
  const common = { tenant, from, generation, snapshot, pins, conditions, record, now };
  if (plan.blocked !== null || desired.kind === "unreadable") {
    return {
      ...common,
      to: observed.appliedRevision ?? plan.revision,
      fingerprint: observed.fingerprint ?? "",
      suspended: observed.suspended,
      quota: snapshot.quota,
      blobs: [],
      dags: plan.suspends.map(suspendWrite),
      events: yield* eventsOf(plan),
    };
  }
  const dags: DagWrite[] = [];
  for (const change of plan.dags) {
    yield;
    dags.push(...dagWrite(change, now));
  }
  yield;
  return {
    ...common,
    to: plan.revision,
    fingerprint: desired.fingerprint,
    suspended: desired.suspended,
    quota: desired.quota,
    blobs,
    dags: [...dags, ...plan.suspends.map(suspendWrite)].sort(byDagId),
    events: yield* eventsOf(plan),
  };
}

// Two replicas that apply the same plan must take row locks in the same order.
const byDagId = (a: DagWrite, b: DagWrite): number => (a.dagId < b.dagId ? -1 : 1);

const suspendWrite = (write: SuspendWrite): DagWrite => ({ kind: "suspend", ...write });

function dagWrite(change: DagChange, now: UtcText): readonly DagWrite[] {
  switch (change.kind) {
    case "hold":
      return [];
    case "prune":
      return [{ kind: "prune", dagId: change.dagId, from: change.from.specHash }];
    case "create":
      return [{ kind: "create", from: null, ...writeOf(change.to), schedules: renamedSchedules(change, now) }];
    case "update": {
      const schedules = schedulesOf(change.to, change.from, now);
      return [{ kind: "update", from: change.from.specHash, ...writeOf(change.to), schedules }];
    }
  }
}

const writeOf = ({ dagId, specHash, specText, armed, suspended, spec }: ReadableDag) => ({
  dagId,
  specHash,
  specText,
  armed,
  suspended,
  concurrencyMax: spec.concurrency.max,
  overlap: spec.concurrency.overlap,
});

/**
 * A schedule keeps its watermark over edits; a new one, and all of a name that returns, starts now: never in the past. None
 * is ever beyond now (DESIGN.md section 5), whatever a clock once said.
 */
export function schedulesOf(dag: ReadableDag, from: ObservedDag | null, now: UtcText): ScheduleWrites {
  const kept = new Map((from?.schedules ?? []).map((schedule) => [schedule.schedule, schedule.watermark]));
  return [...dag.spec.schedules]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((schedule) => {
      const from = kept.get(schedule.name) ?? null;
      const watermark = from === null || from > now ? now : from;
      const next = nextSlot(schedule, new Date(watermark));
      return { schedule: schedule.name, from, watermark, nextDue: next === null ? null : next.toISOString() };
    });
}

/** Those of a new DAG; one that was renamed takes its watermarks along, so that no slot is lost or comes twice. */
export function renamedSchedules(
  { to, renamed }: Extract<DagChange, { kind: "create" }>,
  now: UtcText,
): ScheduleWrites {
  return schedulesOf(to, renamed, now).map((schedule) => ({ ...schedule, from: null }));
}

type ScheduleWrites = Extract<DagWrite, { kind: "create" | "update" }>["schedules"];

function* eventsOf(plan: TenantPlan): Steps<TenantChange["events"]> {
  const { revision, tenant, blocked } = plan;
  const event = (type: string, subject: string, facts: object) => ({
    type,
    subject,
    body: canonicalText({ revision, ...facts }),
  });
  if (blocked !== null) return [event(blockEvents[blocked.kind], `tenant/${tenant}`, {})];
  const isNews = newsOf(plan);
  const events: TenantChange["events"][number][] = [];
  for (const change of plan.dags) {
    yield;
    if (change.kind === "hold" && isNews("Dag", change.dagId) === null) continue;
    events.push(event(eventTypes[change.kind], `dag/${change.dagId}`, factsOf(change)));
  }
  return [...events, event("tenant.applied", `tenant/${tenant}`, {})];
}

const blockEvents = { held: "tenant.held", brake: "tenant.braked", freeze: "tenant.frozen" } as const;

const eventTypes = { create: "dag.created", update: "dag.updated", prune: "dag.pruned", hold: "dag.held" } as const;

function factsOf(change: DagChange): object {
  if (change.kind === "hold") return { path: change.path };
  if (change.kind === "prune") return { specHash: change.from.specHash };
  return { specHash: change.to.specHash, armed: change.to.armed, suspended: change.to.suspended };
}
