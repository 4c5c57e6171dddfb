import type { AuditReader, AuditTreeEntry } from "./audit-source.ts";

/** One file that differs between two trees; null = not there. */
export interface TreeChange {
  readonly path: string;
  readonly before: AuditTreeEntry | null;
  readonly after: AuditTreeEntry | null;
}

const isTree = (entry: AuditTreeEntry): boolean => entry.mode === "40000";

/** An audit path has seven levels; a deeper tree is reported as one entry and not entered. */
const maxDepth = 8;

type ReadTree = AuditReader["readTree"];

/** Files that differ, found by object ids: equal subtrees are never entered. */
export function treeChanges(readTree: ReadTree, before: string | null, after: string): readonly TreeChange[] {
  const changes: TreeChange[] = [];
  compareTrees({ readTree, changes, prefix: "", depth: 0 }, before, after);
  return changes;
}

interface Comparison {
  readonly readTree: ReadTree;
  readonly changes: TreeChange[];
  readonly prefix: string;
  readonly depth: number;
}

function compareTrees(at: Comparison, before: string | null, after: string | null): void {
  if (before === after) return;
  const old = entriesByName(at, before);
  const current = entriesByName(at, after);
  for (const [name, entry] of current) compareEntries(at, name, { before: old.get(name) ?? null, after: entry });
  for (const [name, entry] of old) {
    if (!current.has(name)) compareEntries(at, name, { before: entry, after: null });
  }
}

function compareEntries(at: Comparison, name: string, { before, after }: Omit<TreeChange, "path">): void {
  if (before !== null && after !== null && before.oid === after.oid && before.mode === after.mode) return;
  const path = at.prefix + name;
  const [oldTree, newTree] = [subtree(at, before), subtree(at, after)];
  compareTrees({ ...at, prefix: `${path}/`, depth: at.depth + 1 }, oldTree, newTree);
  const change = { path, before: oldTree === null ? before : null, after: newTree === null ? after : null };
  if (change.before !== null || change.after !== null) at.changes.push(change);
}

function subtree(at: Comparison, entry: AuditTreeEntry | null): string | null {
  return entry !== null && isTree(entry) && entry.defect === null && at.depth < maxDepth ? entry.oid : null;
}

function entriesByName(at: Comparison, tree: string | null): ReadonlyMap<string, AuditTreeEntry> {
  return new Map(tree === null ? [] : at.readTree(tree).map((entry) => [entry.name, entry]));
}
