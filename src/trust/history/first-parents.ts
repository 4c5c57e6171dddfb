import { faultOf, type Steps } from "../../base/index.ts";
import { type ReadCommit, shortOid, type TrustCommit } from "./trust-commit.ts";

export type FirstParents =
  | { readonly kind: "descends"; readonly base: TrustCommit | null; readonly commits: readonly TrustCommit[] }
  | { readonly kind: "rewound"; readonly message: string };

/** The commits after `verified` (null: from the root) up to `head` along first parents, oldest first; pauses at each. */
export function* firstParents(readCommit: ReadCommit, verified: string | null, head: string): Steps<FirstParents> {
  const commits: TrustCommit[] = [];
  let mergedIn: TrustCommit | null = null;
  for (let oid: string | undefined = head; oid !== undefined && oid !== verified; ) {
    const commit: TrustCommit = readCommit(oid);
    commits.push(commit);
    yield;
    if (verified !== null && commit.parents.includes(verified, 1)) mergedIn = commit;
    oid = commit.parents[0];
    if (oid === undefined && verified !== null) {
      return { kind: "rewound", message: yield* rewindMessage({ readCommit, verified, head, mergedIn }) };
    }
  }
  return { kind: "descends", base: verified === null ? null : readCommit(verified), commits: commits.reverse() };
}

interface Rewind {
  readonly readCommit: ReadCommit;
  readonly verified: string;
  readonly head: string;
  readonly mergedIn: TrustCommit | null;
}

function* rewindMessage({ readCommit, verified, head, mergedIn }: Rewind): Steps<string> {
  const [old, now] = [shortOid(verified), shortOid(head)];
  if (mergedIn !== null) {
    const merge = shortOid(mergedIn.oid);
    return `merge ${merge} has the verified revision ${old} as a later parent: merge the other way round, from ${old}`;
  }
  for (let oid: string | undefined = verified; oid !== undefined; oid = parentIfThere(readCommit, oid)) {
    yield;
    if (oid === head) return `the branch went back from ${old} to ${now}: push ${old} again, then undo with git revert`;
  }
  return `${now} does not descend from the verified revision ${old}: push ${old} again, then undo with git revert`;
}

/** A repository that was restored or replaced need not hold what was verified: that too is a branch that went back. */
function parentIfThere(readCommit: ReadCommit, oid: string): string | undefined {
  try {
    return readCommit(oid).parents[0];
  } catch (error) {
    if (faultOf(error).disposition !== "stall") throw error;
    return undefined;
  }
}
