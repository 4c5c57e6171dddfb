import { reasonOf } from "./clock.ts";

/**
 * A part with a life. `start` resolves when it does its work; `stop` is safe before start, twice, and resolves when
 * nothing of it is left running. test/support has the contract test that every service passes.
 */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Owns background tasks: hears each failure, aborts all on stop and awaits their end. */
export class TaskGroup {
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: (task: string, error: unknown) => void;

  /** `onFailure` is the one place that decides what a failed task means; it must not throw. */
  constructor(onFailure: (task: string, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Runs `task` until it ends; its failure after stop is the stop itself and is not reported. */
  run(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    if (this.#abort.signal.aborted) return;
    const running: Promise<void> = task(this.#abort.signal)
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.#onFailure(name, error);
      })
      .finally(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error("stopped"));
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** A coalescing wake-up: many `wake` calls before the next `wait` are one. Carries no payload (level, not edge). */
export class WakeUp {
  #pending = false;
  #resolve: (() => void) | null = null;

  wake(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Woken since the last wait. */
  get isPending(): boolean {
    return this.#pending;
  }

  /** Resolves true when woken, false after `timeout` ends first; rejects when the signal aborts. */
  async wait(timeout: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) throw reasonOf(signal);
    if (!this.#pending) {
      const stopTimer = new AbortController();
      const woken = new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
      const slept = timeout(AbortSignal.any([signal, stopTimer.signal])).catch(() => undefined);
      await Promise.race([woken, slept]);
      this.#resolve = null;
      stopTimer.abort();
      await slept;
      signal.throwIfAborted();
    }
    const woke = this.#pending;
    this.#pending = false;
    return woke;
  }
}
