import type { ReadCommit, TrustCommit } from "./trust-commit.ts";

/**
 * The first-parent line of a branch as far as anybody asks: positions from 0 = the first commit that is judged, below 0
 * what lies before it.
 */
export class CommitLine {
  readonly #readCommit: ReadCommit;
  readonly #after: readonly TrustCommit[];
  readonly #before: TrustCommit[] = [];
  readonly #positions = new Map<string, number>();

  /** `commits`: what is judged, oldest first. */
  constructor(commits: readonly TrustCommit[], readCommit: ReadCommit) {
    this.#after = commits;
    this.#readCommit = readCommit;
    for (const [position, { oid }] of commits.entries()) this.#positions.set(oid, position);
  }

  at(position: number): TrustCommit | null {
    return (position >= 0 ? this.#after[position] : this.#before[-1 - position]) ?? null;
  }

  /** Among what is judged; null elsewhere. */
  judgedPosition(oid: string): number | null {
    return this.#positions.get(oid) ?? null;
  }

  /** Where on the line a commit stands, looking back to the root for it; null where it does not. */
  positionOf(oid: string): number | null {
    for (let position = this.#positions.get(oid); ; position = this.#positions.get(oid)) {
      if (position !== undefined) return position;
      if (!this.#readBack()) return null;
    }
  }

  #readBack(): boolean {
    const [parent] = (this.#before.at(-1) ?? this.#after[0])?.parents ?? [];
    if (parent === undefined) return false;
    this.#before.push(this.#readCommit(parent));
    this.#positions.set(parent, -this.#before.length);
    return true;
  }
}
