/**
 * One look at every tenant, over as many passes as it takes: a commit that arrives meanwhile goes first. Each pass looks
 * at one at least, so that it ends however many commits come.
 */
export class FullRound {
  readonly #isCalled: () => boolean;
  readonly #seen = new Set<string>();
  #took = 0;
  #isComplete = false;

  /** `isCalled`: somebody waits for the next pass. */
  constructor(isCalled: () => boolean) {
    this.#isCalled = isCalled;
  }

  /** Before each pass. */
  begin(): void {
    this.#took = 0;
    this.#isComplete = true;
  }

  /** Whether this pass looks at the tenant; asked once a pass. */
  wants(tenant: string): boolean {
    if (this.#seen.has(tenant)) return false;
    if (this.#took > 0 && this.#isCalled()) {
      this.#isComplete = false;
      return false;
    }
    this.#took += 1;
    this.#seen.add(tenant);
    return true;
  }

  /** After a pass: no tenant was left for another one. */
  get isComplete(): boolean {
    return this.#isComplete;
  }
}
