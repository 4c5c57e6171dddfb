import type { Steps } from "../../base/index.ts";
import type { ReadCommit, TrustCommit } from "./trust-commit.ts";

interface Seen {
  readonly commit: TrustCommit;
  /** Reachable from what is known, hence judged when that was. */
  old: boolean;
}

/**
 * The commits reachable from `tips` but not from `known`, newest first: what a merge brings in, what a branch holds.
 *
 * Paints both sides back in order of committer time until only old ones are left. Where times run backwards this can
 * count an old commit as new, never a new one as old: then it is judged once too often, not once too seldom.
 */
export function* commitsBetween(
  readCommit: ReadCommit,
  { known, tips }: { readonly known: readonly string[]; readonly tips: readonly string[] },
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
  for (const oid of known) paint(oid, true);
  for (const oid of tips) paint(oid, false);
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

/** What a merge brings in. */
export const sideCommits = (merge: TrustCommit, readCommit: ReadCommit): Steps<readonly TrustCommit[]> =>
  commitsBetween(readCommit, { known: merge.parents.slice(0, 1), tips: merge.parents.slice(1) });

/**
 * The one commit in which both parents of a merge last agreed; null where there are none or several, or where committer
 * times that run backwards leave that open. `side` = what the merge brings in.
 */
export function* mergeBase(
  merge: TrustCommit,
  side: readonly TrustCommit[],
  readCommit: ReadCommit,
): Steps<TrustCommit | null> {
  const base = yield* lastCommon(merge, side, readCommit);
  if (base === null) return null;
  // Whoever dates commits could have an old one counted as brought in: from an older base, what main took back since
  // would look like news of the branch. Neither set leaves one out, so what stands in both is in doubt, and only that.
  const ours = yield* commitsBetween(readCommit, { known: [base.oid], tips: merge.parents.slice(0, 1) });
  const isNew = new Set(side.map(({ oid }) => oid));
  return ours.some(({ oid }) => isNew.has(oid)) ? null : base;
}

function* lastCommon(
  merge: TrustCommit,
  side: readonly TrustCommit[],
  readCommit: ReadCommit,
): Steps<TrustCommit | null> {
  const [, second = ""] = merge.parents;
  const isNew = new Set(side.map(({ oid }) => oid));
  if (!isNew.has(second)) return readCommit(second);
  const border = new Set(side.flatMap(({ parents }) => parents).filter((oid) => !isNew.has(oid)));
  if (border.size < 2) return [...border].map(readCommit)[0] ?? null;
  const covered = yield* reachableFrom([...border], readCommit);
  const last = [...border].filter((oid) => !covered.has(oid));
  return last.length === 1 ? readCommit(last[0] ?? "") : null;
}

/** Of these commits, the ones that another of them has behind it. Looks a day further back than the oldest of them. */
function* reachableFrom(oids: readonly string[], readCommit: ReadCommit): Steps<ReadonlySet<string>> {
  const wanted = new Set(oids);
  const oldest = Math.min(...oids.map((oid) => readCommit(oid).committer.seconds)) - 86_400;
  const covered = new Set<string>();
  const seen = new Set<string>();
  const pending = oids.flatMap((oid) => readCommit(oid).parents);
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (seen.has(oid)) continue;
    seen.add(oid);
    if (wanted.has(oid)) covered.add(oid);
    const commit = readCommit(oid);
    if (commit.committer.seconds >= oldest) pending.push(...commit.parents);
    yield;
  }
  return covered;
}
