import { type UtcText, utcText } from "../../base/index.ts";
import { nextSlot, type SlotMark, slotMark, slotScope } from "../../calendar/index.ts";
import type { DesiredDag, DesiredTenant, ReadableDag } from "../../plan/index.ts";
import type { Finding, ScheduleSpec } from "../../spec/index.ts";

/** One firing time of a schedule. */
export interface NextSlot {
  readonly tenant: string;
  readonly dagId: string;
  readonly schedule: string;
  readonly utc: UtcText;
  /** `YYYY-MM-DDTHH:mm:ss` in the schedule's zone. */
  readonly local: string;
  readonly zone: string;
  /** What a change of the clock means for it; null on all other days. */
  readonly mark: SlotMark | null;
  /** Why it would start nothing: `suspended`, or `not armed: <code>`; null where it would. */
  readonly blocked: string | null;
}

export interface NextSlots {
  /** Oldest first, ties by tenant, DAG and schedule. */
  readonly slots: readonly NextSlot[];
  /** DAGs whose slots start nothing, with the first finding that says why. */
  readonly blocked: readonly { readonly dag: string; readonly why: string; readonly finding: Finding | null }[];
  /** Findings of what does not decode, and so is not looked into. */
  readonly unreadable: readonly Finding[];
}

export interface SlotQuestion {
  readonly from: Date;
  /** Of each DAG. */
  readonly count: number;
  /** null = every DAG. */
  readonly dagId: string | null;
}

/** The next slots of each DAG of some tenants after an instant. */
export function nextSlotsOf(tenants: readonly DesiredTenant[], { from, count, dagId }: SlotQuestion): NextSlots {
  const times = new Times(from, count);
  const dags = tenants.flatMap((tenant) => dagsOf(tenant, dagId).map((dag) => ({ tenant: tenant.tenant, dag })));
  const readable = dags.flatMap(({ tenant, dag }) => (dag.kind === "readable" ? [{ tenant, dag }] : []));
  const slots = readable.flatMap(({ tenant, dag }) => slotsOf(tenant, dag, times));
  const key = (slot: NextSlot): string => `${slot.utc} ${slot.tenant}/${slot.dagId} ${slot.schedule}`;
  return {
    slots: slots.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
    blocked: readable.flatMap(({ tenant, dag }) => {
      const why = blockOf(dag);
      return why === null || dag.spec.schedules.length === 0
        ? []
        : [{ dag: `${tenant}/${dag.dagId}`, why, finding: dag.suspended ? null : denialOf(dag) }];
    }),
    unreadable: [
      ...tenants.flatMap((tenant) => (tenant.kind === "unreadable" ? tenant.findings : [])),
      ...dags.flatMap(({ dag }) => (dag.kind === "unreadable" ? dag.findings.slice(0, 1) : [])),
    ],
  };
}

const dagsOf = (tenant: DesiredTenant, dagId: string | null): readonly DesiredDag[] =>
  tenant.kind === "unreadable" ? [] : tenant.dags.filter((dag) => dagId === null || dag.dagId === dagId);

const denialOf = ({ findings }: ReadableDag): Finding | null =>
  findings.find(({ severity }) => severity === "denied") ?? null;

function blockOf(dag: ReadableDag): string | null {
  if (dag.suspended) return "suspended";
  return dag.armed ? null : `not armed: ${denialOf(dag)?.code ?? "NotAllowed"}`;
}

function slotsOf(tenant: string, dag: ReadableDag, times: Times): readonly NextSlot[] {
  const blocked = blockOf(dag);
  const all = dag.spec.schedules.flatMap((schedule) =>
    times.of(schedule).map((time) => ({ tenant, dagId: dag.dagId, schedule: schedule.name, ...time, blocked })),
  );
  return all.sort((a, b) => (a.utc < b.utc ? -1 : 1)).slice(0, times.count);
}

type SlotTime = Pick<NextSlot, "utc" | "local" | "zone" | "mark">;

/** Thousands of DAGs share a few schedules. */
class Times {
  readonly #from: Date;
  readonly count: number;
  readonly #known = new Map<string, readonly SlotTime[]>();

  constructor(from: Date, count: number) {
    this.#from = from;
    this.count = count;
  }

  of(schedule: ScheduleSpec): readonly SlotTime[] {
    const key = JSON.stringify([schedule.timing, schedule.timezone]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const times: SlotTime[] = [];
    for (let slot = nextSlot(schedule, this.#from); slot !== null && times.length < this.count; ) {
      const { local } = slotScope(schedule, slot);
      times.push({ utc: utcText(slot), local, zone: schedule.timezone, mark: slotMark(schedule, slot) });
      slot = nextSlot(schedule, slot);
    }
    this.#known.set(key, times);
    return times;
  }
}
