/** A lock held by reasons, not by a boolean: it opens when the last reason is gone. */
export class Gate {
  readonly #reasons = new Map<string, string>();

  /** `reason` is CamelCase; closing twice for one reason keeps the newer message. */
  close(reason: string, message: string): void {
    this.#reasons.set(reason, message);
  }

  open(reason: string): void {
    this.#reasons.delete(reason);
  }

  get isOpen(): boolean {
    return this.#reasons.size === 0;
  }

  /** In order of closing. */
  get reasons(): readonly { readonly reason: string; readonly message: string }[] {
    return [...this.#reasons].map(([reason, message]) => ({ reason, message }));
  }
}
