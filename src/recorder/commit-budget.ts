export interface BudgetOptions {
  readonly burst: number;
  readonly refillMs: number;
}

/** The newest commits, oldest first; `isWhole` where there are no others. */
export interface CommitHistory {
  readonly commitsMs: readonly number[];
  readonly isWhole: boolean;
}

/** A token bucket over wall-clock instants (ms); `takeAnyway` may leave it in debt, so that the long run keeps its rate. */
export class CommitBudget {
  readonly #options: BudgetOptions;
  #tokens: number;
  #atMs: number;

  /** Starts as these commits left it: a restart gives nothing back. */
  constructor(options: BudgetOptions, { commitsMs, isWhole }: CommitHistory, nowMs: number) {
    this.#options = options;
    // What stood in the bucket before a part of a history is not known: the least that can have been.
    this.#tokens = isWhole ? options.burst : 0;
    this.#atMs = commitsMs[0] ?? nowMs;
    for (const commitMs of commitsMs) this.takeAnyway(commitMs);
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
