export interface BudgetOptions {
  readonly burst: number;
  readonly refillMs: number;
}

/** A token bucket over wall-clock instants (ms); `takeAnyway` may leave it in debt, so that the long run keeps its rate. */
export class CommitBudget {
  readonly #options: BudgetOptions;
  #tokens: number;
  #atMs: number;

  /** Starts as the commits of `history` (oldest first) left it: a restart gives nothing back. */
  constructor(options: BudgetOptions, history: readonly number[], nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#atMs = history[0] ?? nowMs;
    for (const commitMs of history) this.takeAnyway(commitMs);
  }

  /** Until a commit may be made; 0 = now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    // One refill that falls short by a rounding error must not cost a second one.
    return this.#tokens >= 1 - 1e-9 ? 0 : Math.ceil((1 - this.#tokens) * this.#options.refillMs);
  }

  takeAnyway(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= 1;
  }

  #refill(nowMs: number): void {
    const { burst, refillMs } = this.#options;
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(burst, this.#tokens + passedMs / refillMs);
    // A wall clock that went back must not stop refilling until it is where it was.
    this.#atMs = nowMs;
  }
}
