import { type Clock, reasonOf } from "../../src/base/index.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A clock that moves only when a test says so. Sleepers wake in the order in which they are due. */
export class FakeClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start = "2026-11-24T00:00:00.000Z") {
    this.#nowMs = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** How many waits are pending: a test waits for this signal before it moves the clock. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(reasonOf(signal));
      };
      const sleeper: Sleeper = {
        dueMs: this.#elapsedMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Moves both clocks on; lets what it woke run between two sleepers. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms;
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > end) break;
      this.#move(Math.max(0, next.dueMs - this.#elapsedMs));
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#move(end - this.#elapsedMs);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Sets the wall clock alone, as a person or NTP would. */
  setWall(instant: string): void {
    this.#nowMs = Date.parse(instant);
  }

  #move(ms: number): void {
    this.#nowMs += ms;
    this.#elapsedMs += ms;
  }
}
