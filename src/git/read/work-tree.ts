import { createHash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Fault } from "../../base/index.ts";
import { type Oid, toOid } from "../format/object.ts";
import type { TreeEntry, TreeEntryKind } from "../format/tree.ts";
import { nameDefect } from "../format/tree-name.ts";
import { isAbsent, readRegularFile, unreadable } from "./regular-file.ts";
import type { GitRepository } from "./repository.ts";
import { entryAt, walkTree } from "./tree-walk.ts";

/** Where trees and files are read from: the object store of a repository, or files on disk. */
export type TreeSource = Pick<GitRepository, "readTree" | "readBlob" | "entryAt" | "walkTree">;

/** Files on disk, read as if they were committed as they stand. */
export interface WorkTree extends TreeSource {
  readonly path: string;
  readonly root: Oid;
  /** The tree of its one revision, which is `root`. */
  readCommit(revision: Oid): { readonly tree: Oid };
}

const maxFileBytes = 64 * 2 ** 20;

/**
 * Opens a directory as a tree. Its ids stand for places, not for contents: they are good for this one object and this
 * moment. Symlinks are entries and are never followed; `.git` of the root is left out, ignored files are not.
 */
export function openWorkTree(path: string): WorkTree {
  const at = resolve(path);
  const places = new Map<Oid, string>();
  const idOf = (place: string): Oid => {
    const oid = toOid(createHash("sha1").update(place).digest("hex"));
    places.set(oid, place);
    return oid;
  };
  const placeOf = (oid: Oid): string => {
    const place = places.get(oid);
    if (place === undefined) throw new Fault("REPO_CORRUPT", `${oid} is nothing of ${at}`);
    return place;
  };
  const readTree = (oid: Oid): readonly TreeEntry[] => {
    const place = placeOf(oid);
    return readDirectory(join(at, place)).flatMap((entry) =>
      place === "" && entry.name === ".git" ? [] : [{ ...entry, oid: idOf(join(place, entry.name)) }],
    );
  };
  const root = idOf("");
  return {
    path: at,
    root,
    readCommit: () => ({ tree: root }),
    readTree,
    readBlob: (oid) => readPlainFile(at, placeOf(oid)),
    entryAt: (tree, entryPath) => entryAt(readTree, tree, entryPath),
    walkTree: (tree, prefix = "") => walkTree(readTree, tree, prefix.replace(/([^/])$/u, "$1/")),
  };
}

type DiskEntry = Omit<TreeEntry, "oid">;

const modes: Readonly<Record<TreeEntryKind, string>> = {
  blob: "100644",
  tree: "40000",
  symlink: "120000",
  submodule: "160000",
};

/** In git's order: a directory sorts as if its name ended in a slash. */
function readDirectory(path: string): readonly DiskEntry[] {
  const entries = list(path).map((entry) => {
    const bytes = Buffer.from(entry.name, "latin1");
    const name = bytes.toString("utf8");
    const special = !entry.isDirectory() && !entry.isFile() && !entry.isSymbolicLink();
    const kind: TreeEntryKind = entry.isDirectory() ? "tree" : entry.isSymbolicLink() ? "symlink" : "blob";
    const defect = special ? "is no regular file" : nameDefect(name, bytes);
    const key = kind === "tree" ? Buffer.concat([bytes, Buffer.of(0x2f)]) : bytes;
    return { key, entry: { mode: modes[kind], kind, name, defect } };
  });
  return entries.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ entry }) => entry);
}

function list(path: string) {
  try {
    // latin1 keeps every byte: a name that is not UTF-8 is a finding, not another name.
    return readdirSync(path, { withFileTypes: true, encoding: "latin1" });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw unreadable(path, error);
  }
}

function readPlainFile(root: string, place: string): Buffer {
  const path = join(root, place);
  // The entry was a file when it was listed; what stands there now may be a link to anywhere.
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const bytes = stat?.isFile() === true ? readRegularFile(path, maxFileBytes, place) : null;
  if (bytes === null) throw new Fault("REPO_CORRUPT", `${place} went away while it was read`);
  return bytes;
}
