import type { Hex, Steps } from "../../base/index.ts";
import type { CommitLine } from "../history/commit-line.ts";
import { commitsBetween } from "../history/commits-between.ts";
import type { ContentReader } from "../history/tree-reader.ts";
import type { ReadCommit, TrustCommit } from "../history/trust-commit.ts";
import type { TrustCrypto } from "../signature/trust-crypto.ts";
import type { Approval } from "./approval-text.ts";
import { type ChangeMarks, changeMarks, isThatChange, planHash } from "./plan-hash.ts";

export interface MatchDeps {
  readonly reader: ContentReader;
  readonly readCommit: ReadCommit;
  readonly crypto: Pick<TrustCrypto, "sha256">;
  readonly line: CommitLine;
}

/** A commit on the line, with its first parent. */
export interface Landing {
  readonly commit: TrustCommit;
  readonly parent: TrustCommit;
}

/** Which approvals are of which commit; what it found out it keeps for the walk. */
export class ApprovalMatch {
  readonly #deps: MatchDeps;
  readonly #plans = new Map<string, Hex>();
  #change: { readonly of: string; readonly marks: ChangeMarks } | null = null;

  constructor(deps: MatchDeps) {
    this.#deps = deps;
  }

  /**
   * The commits that an approval speaks of, where this is one of them; null where it is not. Either its head is on the
   * branch, and the commit lies in base..head; or the commit is the first after base that makes the very change.
   * `ownPlan`: only the latter, since what lies within a range may be taken back at its end.
   */
  *approved(approval: Approval, landing: Landing, ownPlan: boolean): Steps<readonly TrustCommit[] | null> {
    // A range is known only once its head is there: a rejection of it must not depend on what was pushed with what.
    const isOfRange = !ownPlan && (approval.verdict === "approve" || approval.head === landing.commit.oid);
    const range = isOfRange ? yield* this.#range(approval, landing) : null;
    if (range !== null) return range;
    const { line, readCommit } = this.#deps;
    const { commit, parent } = landing;
    if ((yield* this.#planHash(parent, commit)) !== approval.planHash) return null;
    const base = line.positionOf(approval.base);
    const here = line.judgedPosition(commit.oid);
    if (base === null || here === null || base >= here) return null;
    for (let position = base + 1; position < here; position++) {
      if (this.#isUsedAt(position, approval, landing)) return null;
      yield;
    }
    return yield* commitsBetween(readCommit, { known: [parent.oid], tips: [commit.oid] });
  }

  *#range({ base, head, planHash: plan }: Approval, { commit }: Landing): Steps<readonly TrustCommit[] | null> {
    const { line, readCommit } = this.#deps;
    const [here, end] = [line.judgedPosition(commit.oid), line.judgedPosition(head)];
    if (here === null || end === null || end < here) return null;
    const start = line.positionOf(base);
    if (start === null || start >= here) return null;
    if ((yield* this.#planHash(readCommit(base), readCommit(head))) !== plan) return null;
    return yield* commitsBetween(readCommit, { known: [base], tips: [head] });
  }

  /** It counts once: for its head, or for the first commit that makes its change. */
  #isUsedAt(position: number, approval: Approval, landing: Landing): boolean {
    const { line, reader } = this.#deps;
    const [commit, parent] = [line.at(position), line.at(position - 1)];
    if (commit === null) return false;
    if (commit.oid === approval.head) return true;
    return parent !== null && isThatChange(reader, this.#marks(landing), { before: parent.tree, after: commit.tree });
  }

  #marks({ commit, parent }: Landing): ChangeMarks {
    if (this.#change?.of !== commit.oid) {
      const marks = changeMarks(this.#deps.reader, { before: parent.tree, after: commit.tree });
      this.#change = { of: commit.oid, marks };
    }
    return this.#change.marks;
  }

  *#planHash(from: TrustCommit, to: TrustCommit): Steps<Hex> {
    const key = `${from.tree} ${to.tree}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const { reader, crypto } = this.#deps;
    const hash = yield* planHash(reader, { before: from.tree, after: to.tree }, crypto.sha256);
    this.#plans.set(key, hash);
    return hash;
  }
}
