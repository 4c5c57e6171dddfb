import { breath, faultOf, type Service, TaskGroup, WakeUp, withJitter } from "../base/index.ts";
import { FullRound } from "./full-round.ts";
import { DesiredReader } from "./read/desired-reader.ts";
import { ObservedTenants } from "./read/observed-tenants.ts";
import { reconcileOnce } from "./reconcile-once.ts";
import type { PassResult, ReconcilerDeps, ReconcilerOptions } from "./reconciler-deps.ts";

export interface Reconciler extends Service {
  /** The repository may have moved: look now. */
  wake(): void;
  /** What the last pass found; null before the first. */
  readonly last: PassResult | null;
}

const retryMs = 2000;

/** The loop round `reconcileOnce`: wakes, the interval and failures all end in the same pass. */
export function createReconciler(deps: ReconcilerDeps, options: ReconcilerOptions): Reconciler {
  return new ReconcilerService(deps, options);
}

class ReconcilerService implements Reconciler {
  readonly name = "reconciler";
  readonly #deps: ReconcilerDeps;
  readonly #options: ReconcilerOptions;
  readonly #reader: DesiredReader;
  readonly #observed: ObservedTenants;
  readonly #wakeUp = new WakeUp();
  #tasks: TaskGroup | null = null;
  #last: PassResult | null = null;
  #said = "";

  constructor(deps: ReconcilerDeps, options: ReconcilerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#reader = new DesiredReader(deps.repository, deps.compute, deps.secrets, () => deps.clock.now());
    this.#observed = new ObservedTenants(deps.revision);
  }

  get last(): PassResult | null {
    return this.#last;
  }

  wake(): void {
    this.#wakeUp.wake();
  }

  start(): Promise<void> {
    if (this.#tasks === null) {
      this.#tasks = new TaskGroup((task, error) =>
        this.#deps.log.error({ task, error }, "the reconciler's loop ended"),
      );
      this.#tasks.run("reconcile", (signal) => this.#loop(signal));
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#tasks?.stop();
    this.#tasks = null;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const newRound = (): FullRound => new FullRound(() => this.#wakeUp.isPending);
    // What was applied before a restart serves at once; whether it still stands so is asked right after.
    for (let round: FullRound | null = newRound(), isFull = false; ; ) {
      const failedFor = await this.#pass(isFull ? round : null, signal);
      if (isFull && round?.isComplete === true) round = null;
      if (failedFor !== null) round = newRound();
      const restMs = failedFor ?? (round === null ? this.#options.intervalMs : 0);
      const rest = (until: AbortSignal): Promise<void> => (restMs === 0 ? breath() : clock.sleep(restMs, until));
      isFull = !(await this.#wakeUp.wait(rest, signal));
      if (isFull) round ??= newRound();
    }
  }

  /** null, or how long to wait after a failure. `round` null: nothing is looked at but what moved. */
  async #pass(round: FullRound | null, signal: AbortSignal): Promise<number | null> {
    const room = { deps: this.#deps, options: this.#options, reader: this.#reader, observed: this.#observed };
    const { deps } = room;
    const began = deps.clock.monotonicMs();
    round?.begin();
    try {
      const result = await reconcileOnce(room, (tenant) => round?.wants(tenant) ?? false, signal);
      this.#last = result;
      this.#say(result, Math.round(deps.clock.monotonicMs() - began));
      return null;
    } catch (error) {
      if (signal.aborted) throw error;
      const { code } = faultOf(error);
      deps.log.warn({ code, error }, "a reconcile pass failed, trying again");
      return withJitter(retryMs, deps.random);
    }
  }

  #say(result: PassResult, ms: number): void {
    const { revision, stalled, applied, newly } = result;
    const news = JSON.stringify([revision, stalled]);
    if (news === this.#said && applied.length === 0) return;
    this.#said = news;
    const held = result.plan.tenants.flatMap((tenant) => tenant.dags).filter(({ kind }) => kind === "hold").length;
    if (stalled === null)
      this.#deps.log.info({ revision, commits: newly.length, applied, held, ms }, "revision applied");
    else
      this.#deps.log.warn(
        { revision, reason: stalled.reason, detail: stalled.message, applied, held, ms },
        "the site is stalled",
      );
    this.#deps.onPass(result);
  }
}
