import { Fault } from "../../base/index.ts";
import type { Oid } from "../format/object.ts";
import type { TreeEntry } from "../format/tree.ts";

export type ReadTree = (oid: Oid) => readonly TreeEntry[];

export interface WalkedEntry {
  readonly path: string;
  readonly entry: TreeEntry;
}

const maxDepth = 64;
/** A tree of ten levels that each hold the one below ten times has 10^10 files in a dozen objects. */
const maxEntries = 250_000;

/** The entry at `path` below `tree`, or null. Never goes through a symlink, a submodule or an entry with a defect. */
export function entryAt(readTree: ReadTree, tree: Oid, path: string): TreeEntry | null {
  let at = tree;
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    const entry = readTree(at).find(({ name }) => name === part);
    if (entry === undefined) return null;
    if (index === parts.length - 1) return entry;
    if (entry.kind !== "tree" || entry.defect !== null) return null;
    at = entry.oid;
  }
  return null;
}

/**
 * Every entry that is not a plain directory, depth first in byte order of the path, `prefix` (`""` or ending in a
 * slash) put before each. A directory is entered, not yielded; one with a defect, or deeper than 64 levels, is yielded
 * with that defect and not entered. Over 250,000 entries: `OBJECT_TOO_LARGE`.
 */
export function* walkTree(readTree: ReadTree, tree: Oid, prefix: string): Generator<WalkedEntry> {
  const stack = [{ prefix, entries: readTree(tree).values() }];
  let seen = 0;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.entries.next();
    if (next.done === true) {
      stack.pop();
      continue;
    }
    if (++seen > maxEntries) throw new Fault("OBJECT_TOO_LARGE", `over ${String(maxEntries)} entries below one tree`);
    const entry = next.value;
    const path = top.prefix + entry.name;
    if (entry.kind !== "tree" || entry.defect !== null) yield { path, entry };
    else if (stack.length >= maxDepth) yield { path, entry: { ...entry, defect: "nested too deep" } };
    else stack.push({ prefix: `${path}/`, entries: readTree(entry.oid).values() });
  }
}
