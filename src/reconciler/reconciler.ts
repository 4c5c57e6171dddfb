import { faultOf, type Service, TaskGroup, WakeUp, withJitter } from "../base/index.ts";
import { DesiredReader } from "./desired-reader.ts";
import { ObservedTenants } from "./observed-tenants.ts";
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
    // What was applied before a restart serves at once; whether it still stands so is asked right after.
    for (let full = false, isFirst = true; ; isFirst = false) {
      const waitMs = await this.#pass(full, signal);
      const woken = !isFirst && (await this.#wakeUp.wait((until) => clock.sleep(waitMs, until), signal));
      full = !woken;
    }
  }

  /** How long to wait for the next one. */
  async #pass(full: boolean, signal: AbortSignal): Promise<number> {
    const room = { deps: this.#deps, options: this.#options, reader: this.#reader, observed: this.#observed };
    const { deps, options } = room;
    const began = deps.clock.monotonicMs();
    try {
      const result = await reconcileOnce(room, full, signal);
      this.#last = result;
      this.#say(result, Math.round(deps.clock.monotonicMs() - began));
      return options.intervalMs;
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
