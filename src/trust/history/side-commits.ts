import type { Steps } from "../../base/index.ts";
import type { TrustCommit } from "./trust-commit.ts";

interface Seen {
  readonly commit: TrustCommit;
  /** Reachable from the merge's first parent, hence judged when that was. */
  old: boolean;
}

/**
 * What a merge brings in: the commits reachable from its other parents but not from its first, newest first.
 *
 * Paints both sides back in order of committer time until only old ones are left. Where times run backwards this can
 * count an old commit as new, never a new one as old: then it is judged once too often, not once too seldom.
 */
export function* sideCommits(
  merge: TrustCommit,
  readCommit: (oid: string) => TrustCommit,
): Steps<readonly TrustCommit[]> {
  const seen = new Map<string, Seen>();
  const frontier = new Map<string, Seen>();
  const paint = (oid: string, old: boolean): void => {
    const entry = seen.get(oid) ?? { commit: readCommit(oid), old: false };
    if (seen.has(oid) && (entry.old || !old)) return;
    entry.old = old;
    seen.set(oid, entry);
    frontier.set(oid, entry);
  };
  merge.parents.forEach((oid, index) => paint(oid, index === 0));
  while ([...frontier.values()].some(({ old }) => !old)) {
    const { commit, old } = newest(frontier);
    frontier.delete(commit.oid);
    for (const parent of commit.parents) paint(parent, old);
    yield;
  }
  return [...seen.values()].filter(({ old }) => !old).map(({ commit }) => commit);
}

function newest(frontier: ReadonlyMap<string, Seen>): Seen {
  return [...frontier.values()].reduce((a, b) => (b.commit.committer.seconds > a.commit.committer.seconds ? b : a));
}
