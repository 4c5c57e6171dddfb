import { Fault } from "../../base/index.ts";
import { type GitObject, hashObject, type Oid } from "../format/object.ts";
import { encodeTree, type TreeEntryInput } from "../format/tree.ts";
import { nameDefect } from "../format/tree-name.ts";
import type { GitRepository } from "../read/repository.ts";

export interface GraftOptions {
  /** Paths of files that may be there already and are then replaced. */
  readonly replace?: ReadonlySet<string>;
}

export interface GraftedObject extends GitObject {
  readonly oid: Oid;
}

/** The new root and every object that it needs and `base` may not have: blobs and the touched trees, deepest first. */
export interface GraftedTree {
  readonly root: Oid;
  readonly objects: readonly GraftedObject[];
}

interface Branch {
  readonly files: Map<string, Buffer>;
  readonly branches: Map<string, Branch>;
}

interface Graft {
  readonly repository: Pick<GitRepository, "readTree">;
  readonly replace: ReadonlySet<string>;
  readonly objects: Map<Oid, GraftedObject>;
}

const maxDepth = 64;
const fileMode = "100644";
const treeMode = "40000";

/**
 * Adds `files` (path to contents) to the tree `base`, reading only the trees on their way. Equal input gives equal
 * objects in equal order. `TREE_CONFLICT` when a file is there already and not named in `replace`, or when a file
 * stands where a directory must be; `REPO_CORRUPT` when a touched tree holds an entry that cannot be written again.
 */
export function graftTree(
  repository: Pick<GitRepository, "readTree">,
  base: Oid | null,
  files: ReadonlyMap<string, Buffer>,
  options: GraftOptions = {},
): GraftedTree {
  const graft: Graft = { repository, replace: options.replace ?? new Set(), objects: new Map() };
  const root = graftBranch(graft, base, branchOf(files), "");
  return { root, objects: [...graft.objects.values()] };
}

function branchOf(files: ReadonlyMap<string, Buffer>): Branch {
  const root: Branch = { files: new Map(), branches: new Map() };
  for (const [path, body] of files) {
    const parts = path.split("/");
    const defect = parts.map((part) => nameDefect(part, Buffer.from(part, "utf8"))).find((found) => found !== null);
    if (defect !== undefined) throw new Fault("INTERNAL", `refused to write a path: ${defect}`);
    if (parts.length > maxDepth) throw new Fault("INTERNAL", "refused to write a path: nested too deep");
    let at = root;
    for (const part of parts.slice(0, -1)) at = childOf(at, part);
    at.files.set(parts.at(-1) ?? "", body);
  }
  return root;
}

function childOf({ branches }: Branch, name: string): Branch {
  const found = branches.get(name) ?? { files: new Map<string, Buffer>(), branches: new Map<string, Branch>() };
  branches.set(name, found);
  return found;
}

function graftBranch(graft: Graft, base: Oid | null, branch: Branch, prefix: string): Oid {
  const entries = entriesOf(graft, base);
  for (const [name, body] of sorted(branch.files)) {
    const path = prefix + name;
    const before = entries.get(name);
    if (branch.branches.has(name)) throw occupied(path);
    // A segment that is once written is never written again: who asks for it has lost count.
    if (before !== undefined && (before.mode === treeMode || !graft.replace.has(path))) throw occupied(path);
    entries.set(name, { mode: fileMode, name, oid: keep(graft, { type: "blob", body }) });
  }
  for (const [name, below] of sorted(branch.branches)) {
    const before = entries.get(name);
    if (before !== undefined && before.mode !== treeMode) throw occupied(prefix + name);
    const oid = graftBranch(graft, before?.oid ?? null, below, `${prefix}${name}/`);
    entries.set(name, { mode: treeMode, name, oid });
  }
  return keep(graft, { type: "tree", body: encodeTree([...entries.values()]) });
}

const occupied = (path: string): Fault => new Fault("TREE_CONFLICT", `${path} is there already`, { fields: { path } });

function entriesOf({ repository }: Graft, base: Oid | null): Map<string, TreeEntryInput> {
  const entries = new Map<string, TreeEntryInput>();
  for (const entry of base === null ? [] : repository.readTree(base)) {
    if (entry.defect !== null)
      throw new Fault("REPO_CORRUPT", `a tree to be extended holds a bad entry: ${entry.defect}`);
    entries.set(entry.name, entry);
  }
  return entries;
}

function keep({ objects }: Graft, { type, body }: GitObject): Oid {
  const oid = hashObject(type, body);
  objects.set(oid, { oid, type, body });
  return oid;
}

// Not the order of the map: a batch that is built again after a crash must give the same list.
const sorted = <T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] =>
  [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
