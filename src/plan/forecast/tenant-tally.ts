import type { ForecastRun } from "./tenant-queue.ts";

/** What a forecast says of one tenant. */
export interface TenantForecast {
  readonly tenant: string;
  readonly slots: number;
  readonly started: number;
  /** Slots that become no run, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Runs that still wait when the window ends. */
  readonly waiting: number;
  readonly queue: { readonly max: number; readonly mean: number };
  /** From the slot to the start; null where nothing started. */
  readonly waitMs: { readonly p50: number; readonly p95: number; readonly max: number } | null;
  /** Run time within the window. */
  readonly busyMs: number;
}

export class TenantTally {
  readonly #tenant: string;
  readonly #waits: number[] = [];
  readonly #skipped = new Map<string, number>();
  #slots = 0;
  #busyMs = 0;
  #depth = 0;
  #maxDepth = 0;
  /** Sum of depth x time, up to the last change. */
  #area = 0;
  #sinceMs: number;

  constructor(tenant: string, fromMs: number) {
    this.#tenant = tenant;
    this.#sinceMs = fromMs;
  }

  slot(): void {
    this.#slots += 1;
  }

  skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  start({ atMs, dag }: ForecastRun, startMs: number, windowEndMs: number): void {
    this.#waits.push(startMs - atMs);
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
      skipped: Object.fromEntries([...this.#skipped].sort(([a], [b]) => (a < b ? -1 : 1))),
      waiting: this.#depth,
      queue: { max: this.#maxDepth, mean: span === 0 ? 0 : Math.round((this.#area / span) * 1000) / 1000 },
      waitMs: waits.length === 0 ? null : { p50: rank(waits, 0.5), p95: rank(waits, 0.95), max: waits.at(-1) ?? 0 },
      busyMs: this.#busyMs,
    };
  }
}

/** Nearest rank: a value that was there. */
const rank = (sorted: readonly number[], share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
