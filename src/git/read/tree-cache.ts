import type { Oid } from "../format/object.ts";
import type { TreeEntry } from "../format/tree.ts";
import type { ReadTree } from "./tree-walk.ts";

/** Entries kept, over all trees: some 15 MB. */
const maxEntries = 100_000;

/** `read`, with what it said last kept: a tree never changes, and the next commit has most of this one's. */
export function cachedTrees(read: ReadTree, limit = maxEntries): ReadTree {
  const kept = new Map<Oid, readonly TreeEntry[]>();
  let held = 0;
  return (oid) => {
    const known = kept.get(oid);
    const entries = known ?? read(oid);
    if (known === undefined) held += entries.length;
    else kept.delete(oid);
    // Last asked, last to go.
    kept.set(oid, entries);
    for (const [oldest, { length }] of kept) {
      if (held <= limit) break;
      kept.delete(oldest);
      held -= length;
    }
    return entries;
  };
}
