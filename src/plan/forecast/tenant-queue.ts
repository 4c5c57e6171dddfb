import { decideAdmission, decidePromotion } from "../../policy/index.ts";
import type { QuotaLimits } from "../../spec/index.ts";
import type { ForecastDag } from "./forecast.ts";

export interface ForecastRun {
  readonly dag: ForecastDag;
  readonly schedule: string;
  /** The slot, ms since the epoch. */
  readonly atMs: number;
}

export const hourMs = 3_600_000;
/** The UTC hour of an instant. */
export const hourOf = (atMs: number): number => atMs - (atMs % hourMs);

/** Runs of one tenant that wait or run, under its quota and the `concurrency` of its DAGs: policy/ decides, as in the store. */
export class TenantQueue {
  readonly #quotaAt: (atMs: number) => QuotaLimits;
  readonly #running = new Map<string, number>();
  #starts = { hour: 0, count: 0 };
  #waiting: ForecastRun[] = [];
  #replaced = 0;
  running = 0;

  constructor(quotaAt: (atMs: number) => QuotaLimits) {
    this.#quotaAt = quotaAt;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets a run in, or says why not. What runs take of a day's budget is not known here. */
  admit(run: ForecastRun): "overlap" | "quota" | null {
    const { dagId, spec } = run.dag;
    const own = this.#waiting.filter(({ dag }) => dag.dagId === dagId).length;
    const unfinishedOfDag = own + (this.#running.get(dagId) ?? 0);
    const decision = decideAdmission(
      this.#quotaAt(run.atMs),
      { ...untroubled, queued: this.#waiting.length, waitingOfDag: own, unfinishedOfDag },
      { slot: true, inputsHash: "", concurrency: spec.concurrency },
    );
    if (decision.kind !== "admitted")
      return decision.kind === "skipped" && decision.reason === "overlap" ? "overlap" : "quota";
    if (decision.supersede && own > 0) {
      this.#waiting = this.#waiting.filter(({ dag }) => dag.dagId !== dagId);
      this.#replaced += own;
    }
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
    this.#starts = { hour: hourOf(atMs), count: this.#startsIn(atMs) + 1 };
    return run;
  }

  end(dagId: string): void {
    this.#running.set(dagId, (this.#running.get(dagId) ?? 1) - 1);
    this.running -= 1;
  }

  #startsIn(atMs: number): number {
    return this.#starts.hour === hourOf(atMs) ? this.#starts.count : 0;
  }

  #eligible(atMs: number): number {
    if (this.#waiting.length === 0) return -1;
    const quota = this.#quotaAt(atMs);
    const usage = { admitted: this.running, startsThisHour: this.#startsIn(atMs), suspended: false };
    for (const [at, { dag }] of this.#waiting.entries()) {
      const admittedOfDag = this.#running.get(dag.dagId) ?? 0;
      const reason = decidePromotion(quota, { ...usage, admittedOfDag }, dag.spec);
      if (reason === null) return at;
      // Every other waits for the same.
      if (reason !== "dag_concurrency") return -1;
    }
    return -1;
  }
}

const untroubled = {
  existing: null,
  closed: false,
  suspended: false,
  armed: true,
  today: { cpuTimeMs: 0, artifactBytes: 0 },
} as const;
