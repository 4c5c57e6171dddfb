import { Fault } from "../../base/index.ts";
import { slotsBetween } from "../../calendar/index.ts";
import type { DagSpec, QuotaLimits } from "../../spec/index.ts";
import { type ForecastRun, hourMs, hourOf, TenantQueue } from "./tenant-queue.ts";
import { type TenantForecast, TenantTally } from "./tenant-tally.ts";

export interface ForecastDag {
  readonly dagId: string;
  readonly spec: Pick<DagSpec, "schedules" | "concurrency">;
  /** Why its slots start nothing, or null. */
  readonly blocked: "not_allowed" | "suspended" | null;
  readonly durationMs: number;
  /** What one run takes of a day's budget as it ends; null = not known: it takes nothing. */
  readonly cpuMs: number | null;
  readonly artifactBytes: number | null;
}

export interface ForecastTenant {
  readonly tenant: string;
  /** At an instant: overrides end by themselves. */
  readonly quotaAt: (instant: Date) => QuotaLimits;
  /** When overrides end. */
  readonly quotaTurns: readonly Date[];
  readonly dags: readonly ForecastDag[];
}

export interface ForecastWindow {
  /** Slots in (from, to]. */
  readonly from: Date;
  readonly to: Date;
  /** Runs that the site does at once; null = only quotas limit. */
  readonly capacity: number | null;
  /** Whether the forecast names each slot and what becomes of it. */
  readonly withSlots: boolean;
}

const maxSlots = 500_000;

/**
 * Plays the schedules of a site through its quotas: each slot arrives, waits for its tenant, its DAG and the site, runs as
 * long as its DAG is said to run, and makes room. The order is that of the queue (DESIGN.md section 5): FIFO in a tenant,
 * weighted start tags between tenants. Nothing is random: same input, same forecast. Nothing runs before `from`.
 * Fault USAGE where a tenant has over 500,000 slots.
 */
export function forecast(tenants: readonly ForecastTenant[], window: ForecastWindow): readonly TenantForecast[] {
  const sorted = [...tenants].sort((a, b) => (a.tenant < b.tenant ? -1 : 1));
  const lanes = sorted.map((tenant) => new Lane(tenant, window));
  const arrivals = lanes.flatMap((lane) => arrivalsOf(lane, window)).sort(byArrival);
  const site = new SiteClock(lanes, window);
  for (const { lane, run } of arrivals) {
    site.advanceTo(run.atMs);
    lane.arrive(run);
    site.start(run.atMs);
  }
  site.advanceTo(window.to.getTime());
  return lanes.map((lane) => lane.tally.result(window));
}

interface Arrival {
  readonly lane: Lane;
  readonly run: ForecastRun;
}

const byArrival = (a: Arrival, b: Arrival): number => a.run.atMs - b.run.atMs || (keyOf(a) < keyOf(b) ? -1 : 1);
const keyOf = ({ lane, run }: Arrival): string => `${lane.tenant.tenant}/${run.dag.dagId}/${run.schedule}`;

function arrivalsOf(lane: Lane, { from, to }: ForecastWindow): readonly Arrival[] {
  return lane.tenant.dags.flatMap((dag) =>
    dag.spec.schedules.flatMap((schedule) => {
      const { slots, truncated } = slotsBetween(schedule, from, to, maxSlots);
      if (truncated || !lane.takeSlots(slots.length, maxSlots))
        throw new Fault("USAGE", `${lane.tenant.tenant} has over ${String(maxSlots)} slots in this window`);
      return slots.map((slot) => ({ lane, run: { dag, schedule: schedule.name, atMs: slot.getTime() } }));
    }),
  );
}

/** One tenant under way. */
class Lane {
  readonly tenant: ForecastTenant;
  readonly tally: TenantTally;
  readonly queue: TenantQueue;
  /** Virtual start tag: who used less of its share goes first. */
  tag = 0;
  #slots = 0;

  constructor(tenant: ForecastTenant, { from, withSlots }: ForecastWindow) {
    this.tenant = tenant;
    this.tally = new TenantTally(tenant.tenant, { fromMs: from.getTime(), withSlots });
    this.queue = new TenantQueue((atMs) => tenant.quotaAt(new Date(atMs)));
  }

  takeSlots(count: number, most: number): boolean {
    this.#slots += count;
    return this.#slots <= most;
  }

  /** The next instant after this one at which a run that waits may start though none ended; infinity where none waits. */
  nextTurnMs(nowMs: number): number {
    if (this.queue.waiting === 0) return Number.POSITIVE_INFINITY;
    const turns = this.tenant.quotaTurns.map((at) => at.getTime()).filter((at) => at > nowMs);
    const { startsPerHour } = this.tenant.quotaAt(new Date(nowMs)).runs;
    return Math.min(...turns, startsPerHour === null ? Number.POSITIVE_INFINITY : hourOf(nowMs) + hourMs);
  }

  arrive(run: ForecastRun): void {
    this.tally.slot(run);
    const refusal = run.dag.blocked === null ? this.queue.admit(run) : { reason: run.dag.blocked, code: null };
    if (refusal !== null) this.tally.skip(run, refusal);
    this.tally.depth(run.atMs, this.queue.waiting);
    for (const replaced of this.queue.takeReplaced()) this.tally.skip(replaced, { reason: "replaced", code: null });
  }
}

interface Ending {
  readonly atMs: number;
  readonly lane: Lane;
  readonly dag: ForecastDag;
}

/** What runs now, and when it ends. */
class SiteClock {
  readonly #lanes: readonly Lane[];
  readonly #window: ForecastWindow;
  /** By end, soonest last. */
  readonly #endings: Ending[] = [];
  #nowMs: number;

  constructor(lanes: readonly Lane[], window: ForecastWindow) {
    this.#nowMs = window.from.getTime();
    this.#lanes = lanes;
    this.#window = window;
  }

  advanceTo(atMs: number): void {
    for (let next = this.#nextMs(); next <= atMs; next = this.#nextMs()) {
      this.#nowMs = next;
      for (let ending = this.#endings.at(-1); ending?.atMs === next; ending = this.#endings.at(-1)) {
        this.#endings.pop();
        ending.lane.queue.end(ending.dag, next);
        this.start(next);
      }
      this.start(next);
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** A run ends, or time alone opens a way to one that waits: an hour begins, an override ends. */
  #nextMs(): number {
    const ending = this.#endings.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
    return Math.min(ending, ...this.#lanes.map((lane) => lane.nextTurnMs(this.#nowMs)));
  }

  start(atMs: number): void {
    const { capacity } = this.#window;
    while (capacity === null || this.#endings.length < capacity) {
      const lane = this.#nextLane(atMs);
      if (lane === null) return;
      const run = lane.queue.take(atMs);
      if (run === null) return;
      const { weight } = lane.tenant.quotaAt(new Date(atMs));
      lane.tag = Math.max(lane.tag, this.#floor()) + 1 / weight;
      lane.tally.start(run, atMs, this.#window.to.getTime());
      lane.tally.depth(atMs, lane.queue.waiting);
      this.#insert({ atMs: atMs + run.dag.durationMs, lane, dag: run.dag });
    }
  }

  #nextLane(atMs: number): Lane | null {
    let best: Lane | null = null;
    for (const lane of this.#lanes)
      if ((best === null || lane.tag < best.tag) && lane.queue.hasEligible(atMs)) best = lane;
    return best;
  }

  /** A tenant that was idle gets no credit for it. */
  #floor(): number {
    const busy = this.#lanes.filter(({ queue }) => queue.waiting + queue.running > 0).map(({ tag }) => tag);
    return busy.length === 0 ? 0 : Math.min(...busy);
  }

  #insert(ending: Ending): void {
    let [low, high] = [0, this.#endings.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#endings[middle]?.atMs ?? 0) > ending.atMs) low = middle + 1;
      else high = middle;
    }
    this.#endings.splice(low, 0, ending);
  }
}
