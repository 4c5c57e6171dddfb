import type { Quota } from "../../spec/index.ts";
import type { ForecastDag } from "./forecast.ts";

export interface ForecastRun {
  readonly dag: ForecastDag;
  readonly schedule: string;
  /** The slot, ms since the epoch. */
  readonly atMs: number;
}

/** Runs of one tenant that wait or run, under its quota and the `concurrency` of its DAGs. */
export class TenantQueue {
  readonly #quotaAt: (atMs: number) => Quota;
  readonly #running = new Map<string, number>();
  #waiting: ForecastRun[] = [];
  #replaced = 0;
  running = 0;

  constructor(quotaAt: (atMs: number) => Quota) {
    this.#quotaAt = quotaAt;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets a run in, or says why not. */
  admit(run: ForecastRun): "overlap" | "quota" | null {
    const { dagId, spec } = run.dag;
    const own = this.#waiting.filter(({ dag }) => dag.dagId === dagId).length;
    const unfinished = own + (this.#running.get(dagId) ?? 0);
    const { overlap, max } = spec.concurrency;
    if (overlap === "skip" && unfinished >= max) return "overlap";
    if (overlap === "latest" && own > 0) {
      this.#waiting = this.#waiting.filter(({ dag }) => dag.dagId !== dagId);
      this.#replaced += own;
    }
    if (this.#waiting.length >= this.#quotaAt(run.atMs).runs.maxQueued) return "quota";
    this.#waiting.push(run);
    return null;
  }

  /** Runs that a newer slot took the place of since it was asked. */
  takeReplaced(): number {
    const replaced = this.#replaced;
    this.#replaced = 0;
    return replaced;
  }

  hasEligible(atMs: number): boolean {
    return this.#eligible(atMs) >= 0;
  }

  take(atMs: number): ForecastRun | null {
    const at = this.#eligible(atMs);
    const [run] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (run === undefined) return null;
    this.#running.set(run.dag.dagId, (this.#running.get(run.dag.dagId) ?? 0) + 1);
    this.running += 1;
    return run;
  }

  end(dagId: string): void {
    this.#running.set(dagId, (this.#running.get(dagId) ?? 1) - 1);
    this.running -= 1;
  }

  #eligible(atMs: number): number {
    const { runs } = this.#quotaAt(atMs);
    if (this.#waiting.length === 0 || this.running >= runs.maxConcurrent) return -1;
    return this.#waiting.findIndex(({ dag }) => (this.#running.get(dag.dagId) ?? 0) < dag.spec.concurrency.max);
  }
}
