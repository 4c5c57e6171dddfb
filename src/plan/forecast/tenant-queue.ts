import type { CodeName } from "../../base/index.ts";
import { decideAdmission, decidePromotion } from "../../policy/index.ts";
import type { QuotaLimits } from "../../spec/index.ts";
import type { ForecastDag } from "./forecast.ts";

export interface ForecastRun {
  readonly dag: ForecastDag;
  readonly schedule: string;
  /** The slot, ms since the epoch. */
  readonly atMs: number;
}

/** Why a slot becomes no run. */
export interface Refusal {
  readonly reason: string;
  /** null where no code says more. */
  readonly code: CodeName | null;
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
  #replaced: ForecastRun[] = [];
  /** What runs that ended this UTC day took. */
  #today = { day: "", cpuTimeMs: 0, artifactBytes: 0 };
  running = 0;

  constructor(quotaAt: (atMs: number) => QuotaLimits) {
    this.#quotaAt = quotaAt;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets a run in, or says why not: the reason of the skip, and the code that a start by hand would get. */
  admit(run: ForecastRun): Refusal | null {
    const { dagId, spec } = run.dag;
    const own = this.#waiting.filter(({ dag }) => dag.dagId === dagId).length;
    const unfinishedOfDag = own + (this.#running.get(dagId) ?? 0);
    const decision = decideAdmission(
      this.#quotaAt(run.atMs),
      {
        ...{ ...untroubled, queued: this.#waiting.length, waitingOfDag: own, unfinishedOfDag },
        today: this.#usedOn(run.atMs),
      },
      { slot: false, inputsHash: "", concurrency: spec.concurrency },
    );
    if (decision.kind !== "admitted") {
      const code = decision.kind === "refused" ? decision.code : null;
      return { reason: code === "OVERLAP_SKIPPED" ? "overlap" : "quota", code };
    }
    if (decision.supersede && own > 0) {
      this.#replaced.push(...this.#waiting.filter(({ dag }) => dag.dagId === dagId));
      this.#waiting = this.#waiting.filter(({ dag }) => dag.dagId !== dagId);
    }
    this.#waiting.push(run);
    return null;
  }

  /** Runs that a newer slot took the place of since it was asked. */
  takeReplaced(): readonly ForecastRun[] {
    return this.#replaced.splice(0);
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

  end({ dagId, cpuMs, artifactBytes }: ForecastDag, atMs: number): void {
    this.#running.set(dagId, (this.#running.get(dagId) ?? 1) - 1);
    this.running -= 1;
    const used = this.#usedOn(atMs);
    used.cpuTimeMs += cpuMs ?? 0;
    used.artifactBytes += artifactBytes ?? 0;
  }

  #usedOn(atMs: number): { cpuTimeMs: number; artifactBytes: number } {
    const day = new Date(atMs).toISOString().slice(0, 10);
    if (this.#today.day !== day) this.#today = { day, cpuTimeMs: 0, artifactBytes: 0 };
    return this.#today;
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
} as const;
