import { Fault } from "../../base/index.ts";
import type { Oid } from "../format/object.ts";

const maxCommits = 500_000;

/**
 * Whether `ancestor` is `descendant` or reachable from it over any parents. A stack of our own: a long history must not
 * overflow the call stack. Commit dates, which their writers choose, cut nothing short.
 */
export function isAncestor(parentsOf: (oid: Oid) => readonly Oid[], ancestor: Oid, descendant: Oid): boolean {
  const seen = new Set<Oid>([descendant]);
  const pending: Oid[] = [descendant];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (oid === ancestor) return true;
    if (seen.size > maxCommits) throw new Fault("REPO_UNSUPPORTED", `history over ${String(maxCommits)} commits`);
    // First parent last, so that it is popped first: histories are mostly one line.
    for (const parent of parentsOf(oid).toReversed()) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      pending.push(parent);
    }
  }
  return false;
}
