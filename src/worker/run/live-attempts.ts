import { Fault } from "../../base/index.ts";
import type { AttemptRef, RunEnd } from "../../dag/index.ts";

export interface OpenAttempt {
  /** Aborts when this attempt is to end. */
  readonly cut: AbortSignal;
  /** It executes from now on. */
  readonly start: () => void;
  readonly close: () => void;
}

interface Entry {
  readonly abort: AbortController;
  started: boolean;
}

/** The attempts of one run between dispatch and durable outcome. */
export class LiveAttempts {
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: (() => void)[] = [];

  get size(): number {
    return this.#entries.size;
  }

  open(at: AttemptRef): OpenAttempt {
    const key = keyOf(at);
    const entry: Entry = { abort: new AbortController(), started: false };
    this.#entries.set(key, entry);
    return {
      cut: entry.abort.signal,
      start: () => {
        entry.started = true;
      },
      close: () => {
        this.#entries.delete(key);
        if (this.#entries.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
      },
    };
  }

  /** Ends one; one that has ended already is left in peace. */
  cut(at: AttemptRef, end: RunEnd): void {
    this.#entries.get(keyOf(at))?.abort.abort(endFault(end));
  }

  cutAll(reason: Fault): void {
    for (const entry of this.#entries.values()) entry.abort.abort(reason);
  }

  /** Takes back those that only wait for their place: nothing of them happened. */
  withdraw(reason: Fault): void {
    for (const entry of this.#entries.values()) if (!entry.started) entry.abort.abort(reason);
  }

  /** Resolves when none is left. */
  ended(): Promise<void> {
    if (this.#entries.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const keyOf = ({ stepId, index, attempt }: AttemptRef): string => `${stepId}/${index}/${attempt}`;

const endFault = (end: RunEnd): Fault =>
  end === "timed_out"
    ? new Fault("RUN_TIMEOUT", "the run timed out")
    : new Fault("RUN_CANCELLED", "the run was cancelled");
