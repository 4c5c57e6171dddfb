import { type UtcText, utcText } from "../../base/index.ts";
import type { ForecastRun, Refusal } from "./tenant-queue.ts";

/** What a forecast says of one tenant. */
export interface TenantForecast {
  readonly tenant: string;
  readonly slots: number;
  readonly started: number;
  /** Slots that become no run, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Of those that the quota refused: by the code that a start by hand would get. */
  readonly refused: Readonly<Record<string, number>>;
  /** Runs that still wait when the window ends. */
  readonly waiting: number;
  readonly queue: { readonly max: number; readonly mean: number };
  /** From the slot to the start; null where nothing started. */
  readonly waitMs: { readonly p50: number; readonly p95: number; readonly max: number } | null;
  /** Run time within the window. */
  readonly busyMs: number;
  /** null where nobody asked for them. */
  readonly fates: readonly SlotFate[] | null;
}

/** What becomes of one slot. */
export interface SlotFate {
  readonly utc: UtcText;
  readonly dagId: string;
  readonly schedule: string;
  /** `waiting`: it still does when the window ends; else the reason of the skip. */
  readonly fate: string;
  /** Of a run that starts: from the slot on. */
  readonly waitMs: number | null;
}

export class TenantTally {
  readonly #tenant: string;
  readonly #waits: number[] = [];
  readonly #skipped = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #fates: Map<ForecastRun, SlotFate> | null;
  #slots = 0;
  #busyMs = 0;
  #depth = 0;
  #maxDepth = 0;
  /** Sum of depth x time, up to the last change. */
  #area = 0;
  #sinceMs: number;

  constructor(tenant: string, { fromMs, withSlots }: { readonly fromMs: number; readonly withSlots: boolean }) {
    this.#tenant = tenant;
    this.#sinceMs = fromMs;
    this.#fates = withSlots ? new Map() : null;
  }

  slot(run: ForecastRun): void {
    this.#slots += 1;
    this.#tell(run, "waiting", null);
  }

  skip(run: ForecastRun, { reason, code }: Refusal): void {
    count(this.#skipped, reason);
    if (reason === "quota" && code !== null) count(this.#refused, code);
    this.#tell(run, reason, null);
  }

  #tell(run: ForecastRun, fate: string, waitMs: number | null): void {
    const { dag, schedule, atMs } = run;
    this.#fates?.set(run, { utc: utcText(new Date(atMs)), dagId: dag.dagId, schedule, fate, waitMs });
  }

  start(run: ForecastRun, startMs: number, windowEndMs: number): void {
    const { atMs, dag } = run;
    this.#waits.push(startMs - atMs);
    this.#tell(run, "starts", startMs - atMs);
    this.#busyMs += Math.min(dag.durationMs, Math.max(0, windowEndMs - startMs));
  }

  depth(atMs: number, depth: number): void {
    this.#area += this.#depth * (atMs - this.#sinceMs);
    this.#sinceMs = atMs;
    this.#depth = depth;
    this.#maxDepth = Math.max(this.#maxDepth, depth);
  }

  result({ from, to }: { readonly from: Date; readonly to: Date }): TenantForecast {
    this.depth(to.getTime(), this.#depth);
    const span = to.getTime() - from.getTime();
    const waits = [...this.#waits].sort((a, b) => a - b);
    return {
      tenant: this.#tenant,
      slots: this.#slots,
      started: waits.length,
      skipped: sorted(this.#skipped),
      refused: sorted(this.#refused),
      waiting: this.#depth,
      queue: { max: this.#maxDepth, mean: span === 0 ? 0 : Math.round((this.#area / span) * 1000) / 1000 },
      waitMs: waits.length === 0 ? null : { p50: rank(waits, 0.5), p95: rank(waits, 0.95), max: waits.at(-1) ?? 0 },
      busyMs: this.#busyMs,
      fates: this.#fates === null ? null : [...this.#fates.values()],
    };
  }
}

const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
const sorted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Nearest rank: a value that was there. */
const rank = (sorted: readonly number[], share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
