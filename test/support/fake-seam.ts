import { canonicalText, Fault, type JsonObject, jsonDefect } from "../../src/base/index.ts";
import { sha256, sha256Hex } from "../../src/base/node-digest.ts";
import { inputsHashOf, type RunContext, runTokenOf, specHashOf } from "../../src/run/index.ts";
import type {
  AttemptMark,
  AttemptOutcome,
  CancelRequest,
  ClaimedRun,
  RunRef,
  Settlement,
  Store,
  Verdict,
  WorkerSeam,
} from "../../src/store/index.ts";

export const testSite = "hq";

type OwnedSeam = ReturnType<Store["createWorkerSeam"]>;

interface StoredRun {
  readonly base: Omit<ClaimedRun, "fence" | "rescues" | "attempts" | "marks">;
  state: "ready" | "claimed" | "settled";
  fence: number;
  rescues: number;
  worker: string | null;
  readonly attempts: AttemptOutcome[];
  readonly marks: AttemptMark[];
  settlement: Settlement | null;
  cancel: CancelRequest | null;
}

export interface NewRun {
  readonly tenant?: string;
  readonly dagId?: string;
  readonly spec: JsonObject;
  readonly snapshot: string;
  readonly inputs?: JsonObject;
  readonly key?: string;
  readonly startedUtc: string;
}

/** Where a worker process is to die: at its k-th call (from 1), before or after the store has done it. */
export interface CrashPoint {
  readonly call: number;
  readonly when: "before" | "after";
}

/**
 * The queue in memory, with the semantics of the seam: fences, duplicates, verdicts per item. A crashed worker's calls
 * never come back, as those of a killed process.
 */
export class FakeQueue {
  readonly runs = new Map<string, StoredRun>();
  readonly calls: string[] = [];
  readonly #dead = new Set<string>();
  readonly #crashed = new Set<string>();
  readonly #stopped = new Set<string>();
  readonly revisions: Record<string, string> = {};
  /** Next calls fail with this, as those of a remote seam. */
  down: Fault | null = null;
  /** Calls wait until `comeBack`, as those of the local seam while the database is away. */
  away = false;
  readonly #waiting: (() => void)[] = [];
  crash: CrashPoint | null = null;
  onCrash: () => void = () => undefined;
  /** What a heartbeat says; null = those that live. */
  liveWorkers: number | null = null;
  retired = 0;
  #workers = 0;
  #callNo = 0;

  registerWorker(): Promise<{ workerId: string; epoch: number }> {
    this.#workers++;
    return Promise.resolve({ workerId: `w${this.#workers}`, epoch: this.#workers });
  }

  retireWorker(workerId: string): Promise<void> {
    this.retired++;
    this.rescue(workerId);
    return Promise.resolve();
  }

  admit(run: NewRun): ClaimedRun {
    const { tenant = "acme", dagId = "hello", key = `k${this.runs.size}` } = run;
    const specText = canonicalText(run.spec);
    const context: RunContext = { now: run.startedUtc, seed: "5".repeat(64) };
    const inputs = run.inputs ?? {};
    const trigger = { kind: "manual" as const, key, schedule: null, slot: null };
    const runId = `run-${tenant}-${dagId}-${key}`;
    const base: StoredRun["base"] = {
      tenant,
      runId,
      runNo: this.runs.size + 1,
      dagId,
      specHash: specHashOf(specText, sha256),
      specText,
      commit: "c".repeat(40),
      policyRevision: "d".repeat(40),
      snapshot: run.snapshot,
      trigger,
      inputsText: canonicalText(inputs),
      inputsHash: inputsHashOf(inputs, sha256),
      runToken: runTokenOf({ site: testSite, tenant, dagId, trigger }, sha256),
      rationale: [{ source: "spec", text: "a test" }],
      actor: { kind: "user", subject: "ana", key: null },
      traceId: sha256Hex(runId).slice(0, 32),
      context,
      queuedUtc: run.startedUtc,
      startedUtc: run.startedUtc,
    };
    const stored: StoredRun = {
      base,
      state: "ready",
      fence: 0,
      rescues: 0,
      worker: null,
      attempts: [],
      marks: [],
      settlement: null,
      cancel: null,
    };
    this.runs.set(this.#key(base), stored);
    return { ...base, fence: 0, rescues: 0, attempts: [], marks: [] };
  }

  run(ref: { readonly tenant: string; readonly runId: string }): StoredRun {
    const run = this.runs.get(this.#key(ref));
    if (run === undefined) throw new Error("no such run");
    return run;
  }

  askCancel(
    ref: { readonly tenant: string; readonly runId: string },
    rationale: string | null = null,
    subject = "omar",
  ): void {
    const { tenant, runId } = ref;
    this.run(ref).cancel = { tenant, runId, actor: { kind: "user", subject, key: null }, rationale };
  }

  /** Declares every worker lost and gives its runs back. */
  rescueAll(): void {
    for (let i = 1; i <= this.#workers; i++) this.rescue(`w${i}`);
  }

  rescue(workerId: string): void {
    this.#dead.add(workerId);
    for (const run of this.#held(workerId)) {
      Object.assign(run, { state: "ready", worker: null, rescues: run.rescues + 1 });
    }
  }

  /** Takes one run away from its worker, which lives on. */
  takeAway(ref: { readonly tenant: string; readonly runId: string }): void {
    const run = this.run(ref);
    Object.assign(run, { state: "claimed", worker: "somebody-else", fence: run.fence + 1 });
  }

  comeBack(): void {
    this.away = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  createSeam = ({ workerId }: { readonly workerId: string }): OwnedSeam => {
    const call = <T>(name: string, work: () => T): Promise<T> => this.#call(workerId, name, work);
    const seam: WorkerSeam = {
      claim: (max) => call("claim", () => this.#claim(workerId, max)),
      heartbeat: () =>
        call("heartbeat", () => ({
          workers: this.liveWorkers ?? this.#workers - this.#dead.size,
          cancelled: this.#held(workerId).flatMap((run) => run.cancel ?? []),
          tenantRevisions: Object.fromEntries(
            this.#held(workerId).map(({ base }) => [base.tenant, this.revisions[base.tenant] ?? base.policyRevision]),
          ),
        })),
      report: (outcomes) => call("report", () => outcomes.map((outcome) => this.#report(workerId, outcome))),
      begin: (marks) => call("begin", () => marks.map((mark) => this.#begin(workerId, mark))),
      settle: (settlements) => call("settle", () => settlements.map((item) => this.#settle(workerId, item))),
      release: (runs) => call("release", () => runs.map((ref) => this.#release(workerId, ref))),
    };
    const stop = (): Promise<void> => {
      this.#stopped.add(workerId);
      return Promise.resolve();
    };
    return { ...seam, name: "fake-seam", start: () => Promise.resolve(), stop };
  };

  async #call<T>(workerId: string, name: string, work: () => T): Promise<T> {
    if (this.#stopped.has(workerId)) throw new Fault("DATABASE_UNAVAILABLE", "the seam is stopped");
    await Promise.resolve();
    if (this.#crashed.has(workerId)) return await never();
    if (this.down !== null) throw this.down;
    if (this.away) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#dead.has(workerId)) throw new Fault("WORKER_FENCED", "the lease is lost");
    this.#callNo++;
    this.calls.push(name);
    const crashes = this.crash?.call === this.#callNo ? this.crash.when : null;
    if (crashes === "before") return await this.#die(workerId);
    const answer = work();
    if (crashes === "after") return await this.#die(workerId);
    return answer;
  }

  async #die<T>(workerId: string): Promise<T> {
    this.#crashed.add(workerId);
    this.onCrash();
    return await never();
  }

  #claim(workerId: string, max: number): readonly ClaimedRun[] {
    const ready = [...this.runs.values()].filter((run) => run.state === "ready").slice(0, max);
    return ready.map((run) => {
      Object.assign(run, { state: "claimed", worker: workerId, fence: run.fence + 1 });
      return {
        ...run.base,
        fence: run.fence,
        rescues: run.rescues,
        attempts: [...run.attempts],
        marks: [...run.marks],
      };
    });
  }

  #report(workerId: string, outcome: AttemptOutcome): Verdict {
    const run = this.#owned(workerId, outcome);
    if (run === null) return "fenced";
    if (run.attempts.some((stored) => sameAttempt(stored, outcome))) return "duplicate";
    if (!isFit(outcome)) return "unfit";
    run.attempts.push(outcome);
    return "stored";
  }

  #begin(workerId: string, mark: AttemptMark): Verdict {
    const run = this.#owned(workerId, mark);
    if (run === null) return "fenced";
    const known = run.marks.findIndex((stored) => sameAttempt(stored, mark));
    if (known >= 0 && run.marks[known]?.fence === mark.fence) return "duplicate";
    run.marks.splice(known >= 0 ? known : run.marks.length, 1, mark);
    return "stored";
  }

  #settle(workerId: string, settlement: Settlement): Verdict {
    const run = this.run(settlement);
    if (run.state === "settled") return run.fence === settlement.fence ? "duplicate" : "fenced";
    if (this.#owned(workerId, settlement) === null) return "fenced";
    Object.assign(run, { state: "settled", settlement });
    return "stored";
  }

  #release(workerId: string, ref: RunRef): Verdict {
    const run = this.#owned(workerId, ref);
    if (run === null) return "fenced";
    Object.assign(run, { state: "ready", worker: null });
    return "stored";
  }

  #owned(workerId: string, ref: RunRef): StoredRun | null {
    const run = this.runs.get(this.#key(ref));
    return run?.state === "claimed" && run.worker === workerId && run.fence === ref.fence ? run : null;
  }

  #held(workerId: string): StoredRun[] {
    return [...this.runs.values()].filter((run) => run.state === "claimed" && run.worker === workerId);
  }

  #key({ tenant, runId }: { readonly tenant: string; readonly runId: string }): string {
    return `${tenant}/${runId}`;
  }
}

type Place = Pick<AttemptMark, "stepId" | "index" | "attempt">;

const statuses = ["succeeded", "failed", "cancelled", "timed_out"];

/** What the tables would refuse. */
function isFit(outcome: AttemptOutcome): boolean {
  const { stepHash, stepKey, inputsHash, outputsHash, startedUtc, endedUtc } = outcome;
  const hashes = [stepHash, stepKey, inputsHash, outputsHash].filter((hash) => hash !== null);
  const instants = [startedUtc, endedUtc].every((text) => !Number.isNaN(Date.parse(text)) && isInstant(text));
  const texts = jsonDefect(outcome) === null;
  return texts && instants && statuses.includes(outcome.status) && hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash));
}

const isInstant = (text: string): boolean => new Date(text).toISOString() === text;

const sameAttempt = (a: Place, b: Place): boolean =>
  a.stepId === b.stepId && a.index === b.index && a.attempt === b.attempt;

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
