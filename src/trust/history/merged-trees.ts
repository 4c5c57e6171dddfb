import { treeChanges } from "./tree-changes.ts";
import type { ReadTree, TrustTreeEntry } from "./tree-reader.ts";

export interface MergedTrees {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}

/** How a merge differs from the clean three-way merge of its parents. */
export interface MergeDeviations {
  /** What it changes on our side and did not take from theirs as it stands there. */
  readonly own: ReadonlySet<string>;
  /** What a clean merge would take from their side and it does not, or where both sides changed it otherwise. */
  readonly untaken: ReadonlySet<string>;
}

/**
 * By object ids alone: a file that both sides changed, each in another way, is no clean merge even where its lines would
 * merge, so that the answer depends on no merge algorithm.
 */
export function mergeDeviations(readTree: ReadTree, { base, ours, theirs, merged }: MergedTrees): MergeDeviations {
  const byUs = changed(readTree, base, ours);
  const byThem = changed(readTree, base, theirs);
  const byMerge = changed(readTree, ours, merged);
  const isTaken = (path: string): boolean => !byUs.has(path) && byMerge.get(path) === byThem.get(path);
  const isAgreed = (path: string): boolean => byUs.get(path) === byThem.get(path) && !byMerge.has(path);
  return {
    own: new Set([...byMerge.keys()].filter((path) => !byThem.has(path) || !isTaken(path))),
    untaken: new Set([...byThem.keys()].filter((path) => !isTaken(path) && !isAgreed(path))),
  };
}

/** What stands at each changed path afterwards, as one comparable text. */
function changed(readTree: ReadTree, before: string, after: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const change of treeChanges(readTree, before, after)) {
    const twice = paths.has(change.path) ? `${paths.size} ${before} ${after}` : null;
    paths.set(change.path, twice ?? markOf(change.after));
  }
  return paths;
}

const markOf = (entry: TrustTreeEntry | null): string =>
  entry === null ? "nothing" : `${entry.mode} ${entry.oid} ${entry.defect ?? ""}`;
