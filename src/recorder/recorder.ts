import { Fault, faultOf, type Service, TaskGroup, utcText, WakeUp, withJitter } from "../base/index.ts";
import { type Oid, toOid } from "../git/index.ts";
import type { PreparedBatch } from "../store/index.ts";
import { commitBatch } from "./batch-commit.ts";
import { checkBranch } from "./branch-check.ts";
import { CommitBudget } from "./commit-budget.ts";
import { type ChainHead, prepareAgain, prepareNext } from "./next-batch.ts";
import { anchorRef, auditRef, type RecorderDeps, type RecorderOptions, type RecorderState } from "./recorder-deps.ts";

export interface Recorder extends Service {
  /** Bodies may wait: look soon. */
  wake(): void;
  /** Seals all that waits now; rejects with the Fault that stops it. */
  flush(signal: AbortSignal): Promise<void>;
}

interface OpenChain {
  last: ChainHead | null;
  readonly budget: CommitBudget;
}

const recording: RecorderState = { ready: true, reason: "Recording", message: "", closesAdmission: false };

/** It works, but not fast enough. */
const late: RecorderState = {
  ready: true,
  reason: "AuditLag",
  message: "records wait for too long",
  closesAdmission: true,
};

/** While a batch fills: a wake-up for each settled run must not become a query each. */
const fillLookMs = 500;
const retryMs = 1000;
/** A stalled branch waits for a person; looking again costs one read of a ref. */
const stalledMs = 5000;

/**
 * Outbox -> signed segments -> audit branch (DESIGN.md section 7). One batch at a time:
 *
 *     drain -> seal -> sign -> prepare (row) -> objects -> ref -> read back -> done (row)
 *
 * A stop between any two leaves what the next start completes: before `prepare` the signer still has the request,
 * after it the row has the bytes. Never a crash loop: what a person must mend is a state, looked at again every 5 s.
 */
export function createRecorder(deps: RecorderDeps, options: RecorderOptions): Recorder {
  return new RecorderService(deps, options);
}

class RecorderService implements Recorder {
  readonly name = "recorder";
  readonly #deps: RecorderDeps;
  readonly #options: RecorderOptions;
  readonly #wakeUp = new WakeUp();
  #tasks: TaskGroup | null = null;
  /** Loop and flush take turns: two batches at once would fork the chain. */
  #turn: Promise<unknown> = Promise.resolve();
  /** null: database, signer and branch must be compared before the next write. */
  #open: OpenChain | null = null;
  #state: RecorderState | null = null;
  /** UTC date of the last drain: skip ranges of the day before are closed once it is over. */
  #drainedDay: string | null = null;

  constructor(deps: RecorderDeps, options: RecorderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): Promise<void> {
    if (this.#tasks === null) {
      this.#tasks = new TaskGroup((task, error) => this.#deps.log.error({ task, error }, "the recorder's loop ended"));
      this.#tasks.run("seal", (signal) => this.#loop(signal));
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#tasks?.stop();
    this.#tasks = null;
    await this.#turn;
  }

  wake(): void {
    this.#wakeUp.wake();
  }

  flush(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      while (await this.#sealOne(signal, true)) signal.throwIfAborted();
    });
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { waitMs, wakeable } = await this.#inTurn(() => this.#pass(signal));
      const sleep = (until: AbortSignal): Promise<void> => this.#deps.clock.sleep(waitMs, until);
      if (wakeable) await this.#wakeUp.wait(sleep, signal);
      else await sleep(signal);
    }
  }

  /** One look; says how long to rest, and whether a wake-up may cut it short. Failures become states here. */
  async #pass(signal: AbortSignal): Promise<{ readonly waitMs: number; readonly wakeable: boolean }> {
    try {
      const fillMs = await this.#fillMs(signal);
      // A batch that waits says nothing about whether the one that failed will pass now.
      if (fillMs > 0 && this.#state?.ready !== false) await this.#reportReady();
      if (fillMs > 0) return { waitMs: Math.min(fillMs, fillLookMs), wakeable: false };
      const more = await this.#sealOne(signal, false);
      await this.#reportReady();
      return more ? { waitMs: 0, wakeable: false } : { waitMs: this.#options.maxWaitMs, wakeable: true };
    } catch (error) {
      if (signal.aborted) return { waitMs: 0, wakeable: false };
      const stalled = await this.#report(error);
      return { waitMs: stalled ? stalledMs : withJitter(retryMs, this.#deps.random), wakeable: stalled };
    }
  }

  /** How long the next batch may still fill; 0 = close it. */
  async #fillMs(signal: AbortSignal): Promise<number> {
    const { outbox, clock } = this.#deps;
    const { maxRecords, maxWaitMs } = this.#options;
    const { budget } = await this.#opened(signal);
    const { count, oldestUtc } = await outbox.pending();
    const nowMs = clock.now().getTime();
    const ageMs = oldestUtc === null ? 0 : Math.max(0, nowMs - Date.parse(oldestUtc));
    if (count === 0) return 0;
    const fillMs = count >= maxRecords ? 0 : Math.max(0, maxWaitMs - ageMs);
    return Math.max(fillMs, budget.waitMs(nowMs));
  }

  /** Seals one batch; true where more may wait. */
  async #sealOne(signal: AbortSignal, all: boolean): Promise<boolean> {
    const { deps, options } = { deps: this.#deps, options: this.#options };
    const open = await this.#current(signal);
    if (deps.clockIsSuspect()) throw new Fault("CLOCK_SUSPECT", "no batch gets a timestamp while the clock is suspect");
    if (!all && !(await this.#isDue())) return false;
    const began = deps.clock.monotonicMs();
    try {
      const prepared = await prepareNext(deps, options, open.last);
      this.#drainedDay = this.#today();
      if (prepared === null) return false;
      await this.#commit(prepared, open, signal);
      this.#logSealed(prepared, began);
      return true;
    } catch (error) {
      this.#open = null;
      throw error;
    }
  }

  async #isDue(): Promise<boolean> {
    if (this.#drainedDay !== this.#today()) return true;
    const { count } = await this.#deps.outbox.pending();
    return count > 0;
  }

  #today(): string {
    return utcText(this.#deps.clock.now()).slice(0, 10);
  }

  async #commit(prepared: PreparedBatch, open: OpenChain, signal: AbortSignal): Promise<void> {
    await commitBatch(this.#deps, this.#options.site, prepared, signal);
    const { batch, timestamp, commit, size, root, frontier } = prepared;
    open.last = { batch, timestamp, commit, size, root, frontier };
    open.budget.takeAnyway(this.#deps.clock.now().getTime());
  }

  /** As `#opened`, but looks first whether the branch is still where the last batch left it. */
  async #current(signal: AbortSignal): Promise<OpenChain> {
    const open = await this.#opened(signal);
    const head = this.#deps.repository.readRef(auditRef(this.#options.site));
    if (head === (open.last?.commit ?? null)) return open;
    this.#open = null;
    return this.#opened(signal);
  }

  /** Compares, then completes what a crash left: the prepared batch, or the one whose signature was not stored. */
  async #opened(signal: AbortSignal): Promise<OpenChain> {
    if (this.#open !== null) return this.#open;
    const { outbox, signer } = this.#deps;
    const { site } = this.#options;
    const [last, signed] = await Promise.all([outbox.lastBatch(), signer.last()]);
    checkBranch(this.#deps, site, last, signed);
    const open = { last: last?.state === "done" ? last : null, budget: this.#budget(last) };
    if (last?.state === "prepared") await this.#complete(last, open, signal);
    if (signed !== null && signed.batch === (open.last?.batch ?? 0) + 1) {
      await this.#complete(await prepareAgain(this.#deps, open.last, signed), open, signal);
    }
    this.#open = open;
    return open;
  }

  async #complete(batch: PreparedBatch, open: OpenChain, signal: AbortSignal): Promise<void> {
    const { writer, clock, log } = this.#deps;
    const ref = auditRef(this.#options.site);
    const ours = new Set([toOid(batch.commit)]);
    const lock = await writer.removeStaleLock({ ref, ours, now: clock.now() });
    // A crash may have come while the anchor was moved, too.
    await writer.removeStaleLock({ ref: anchorRef(this.#options.site), ours, now: clock.now() });
    await this.#commit(batch, open, signal);
    log.info({ batch: batch.batch, records: batch.records.length, lock }, "an unfinished audit batch was completed");
  }

  /** As the last commits left it. */
  #budget(last: ChainHead | null): CommitBudget {
    const { repository, clock } = this.#deps;
    const { burst } = this.#options;
    const commitsMs: number[] = [];
    let oid: Oid | null = last === null ? null : repository.readRef(auditRef(this.#options.site));
    while (oid !== null && commitsMs.length < 2 * burst) {
      const { committer, parents } = repository.readCommit(oid);
      commitsMs.unshift(committer.seconds * 1000);
      oid = parents[0] ?? null;
    }
    return new CommitBudget(this.#options, { commitsMs, isWhole: oid === null }, clock.now().getTime());
  }

  async #reportReady(): Promise<void> {
    this.#setState((await this.#isLate()) ? late : recording);
  }

  /** True where only a person can mend it. */
  async #report(error: unknown): Promise<boolean> {
    const fault = faultOf(error);
    const stalled = fault.disposition === "stall" || fault.disposition === "refuse";
    const closesAdmission = fault.code === "AUDIT_AHEAD" || (await this.#isLate());
    const changed = this.#setState({
      ready: false,
      reason: camelCase(fault.code),
      message: fault.message,
      closesAdmission,
    });
    if (changed && stalled) this.#deps.log.error({ code: fault.code, error: fault }, "the recorder is stalled");
    else if (changed) this.#deps.log.warn({ code: fault.code, error: fault }, "nothing was sealed, trying again");
    return stalled;
  }

  /** Records wait for longer than may be; unknown counts as no, the store's own failure stops more than this. */
  async #isLate(): Promise<boolean> {
    try {
      const { oldestUtc } = await this.#deps.outbox.pending();
      const nowMs = this.#deps.clock.now().getTime();
      return oldestUtc !== null && nowMs - Date.parse(oldestUtc) > this.#options.maxLagMs;
    } catch {
      return false;
    }
  }

  /** True where it is news. */
  #setState(state: RecorderState): boolean {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return false;
    this.#state = state;
    this.#deps.onState(state);
    return true;
  }

  #logSealed({ batch, size, commit, records }: PreparedBatch, began: number): void {
    const ms = Math.round(this.#deps.clock.monotonicMs() - began);
    this.#deps.log.info({ batch, records: records.length, size, commit, ms }, "audit batch sealed");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** `AUDIT_FORKED` -> `AuditForked`. */
function camelCase(code: string): string {
  return code.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
