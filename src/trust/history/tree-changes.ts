import { Fault } from "../../base/index.ts";
import type { ReadTree, TrustTreeEntry } from "./tree-reader.ts";

/** A path that is not the same on both sides; null = nothing there. Of folders only an empty one is a path. */
export interface TreeChange {
  readonly path: string;
  readonly before: TrustTreeEntry | null;
  readonly after: TrustTreeEntry | null;
}

const maxDepth = 64;
/** A tree of ten levels that each hold the one below ten times has 10^10 files in a dozen objects. */
const maxEntries = 500_000;

interface Pair {
  readonly prefix: string;
  readonly depth: number;
  readonly before: string | null;
  readonly after: string | null;
  /** Readers see it otherwise though its id is the same: all below counts as changed. */
  readonly whole: boolean;
}

/**
 * Every path that differs, in no order that means anything. By object ids: what is the same below is not read, so the
 * cost follows the change. A rename is two changes; a mode, and an entry that becomes unsafe or safe, counts. Over
 * 500,000 entries or 64 levels: `OBJECT_TOO_LARGE`.
 */
export function* treeChanges(readTree: ReadTree, before: string | null, after: string): Generator<TreeChange> {
  const stack: Pair[] = [{ prefix: "", depth: 1, before, after, whole: false }];
  let seen = 0;
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    if (pair.depth > maxDepth) throw new Fault("OBJECT_TOO_LARGE", `${pair.prefix} is nested over ${maxDepth} deep`);
    for (const entries of paired(readTree, pair)) {
      if (++seen > maxEntries) throw new Fault("OBJECT_TOO_LARGE", `over ${maxEntries} entries changed in one commit`);
      if (!pair.whole && isSame(entries.was, entries.is)) continue;
      const change = changeAt(readTree, pair, entries);
      if (change.before !== null || change.after !== null) yield change;
      const below = pairBelow(pair, change, entries);
      if (below !== null) stack.push(below);
    }
  }
}

/** One name on both sides; the sides are never both null. */
interface Entries {
  readonly name: string;
  readonly was: TrustTreeEntry | null;
  readonly is: TrustTreeEntry | null;
}

const changeAt = (readTree: ReadTree, { prefix }: Pair, { name, was, is }: Entries): TreeChange => ({
  path: prefix + name,
  before: leafOf(readTree, was),
  after: leafOf(readTree, is),
});

function pairBelow({ depth, whole }: Pair, change: TreeChange, { was, is }: Entries): Pair | null {
  const [before, after] = [folderOf(was, change.before), folderOf(is, change.after)];
  if (before === null && after === null) return null;
  return { prefix: `${change.path}/`, depth: depth + 1, before, after, whole: whole || before === after };
}

const isSame = (a: TrustTreeEntry | null, b: TrustTreeEntry | null): boolean =>
  a?.oid === b?.oid && a?.mode === b?.mode && (a?.defect ?? null) === (b?.defect ?? null);

function leafOf(readTree: ReadTree, entry: TrustTreeEntry | null): TrustTreeEntry | null {
  if (entry === null) return null;
  return entry.kind !== "tree" || readTree(entry.oid).length === 0 ? entry : null;
}

const folderOf = (entry: TrustTreeEntry | null, leaf: TrustTreeEntry | null): string | null =>
  entry === null || leaf !== null ? null : entry.oid;

/** Entries of both sides by name. A name that stands twice is paired in order: which one a reader takes may change. */
function* paired(readTree: ReadTree, pair: Pair): Generator<Entries> {
  const old = byName(pair.before === null ? [] : readTree(pair.before));
  for (const entry of pair.after === null ? [] : readTree(pair.after)) {
    yield { name: entry.name, was: old.get(entry.name)?.shift() ?? null, is: entry };
  }
  for (const entries of old.values()) for (const entry of entries) yield { name: entry.name, was: entry, is: null };
}

function byName(entries: readonly TrustTreeEntry[]): Map<string, TrustTreeEntry[]> {
  const named = new Map<string, TrustTreeEntry[]>();
  for (const entry of entries) {
    const same = named.get(entry.name);
    if (same === undefined) named.set(entry.name, [entry]);
    else same.push(entry);
  }
  return named;
}
