import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { type Commit, decodeCommit, decodeParents } from "../format/commit.ts";
import type { GitObject, ObjectType, Oid } from "../format/object.ts";
import { decodeTree, type TreeEntry } from "../format/tree.ts";
import { isAncestor } from "./ancestry.ts";
import { booleanOf, readGitConfig } from "./git-config.ts";
import { isBareByLayout, locateRepository, type RepositoryLocation } from "./location.ts";
import { ObjectStore } from "./object-store.ts";
import { preflight } from "./preflight.ts";
import { listRefs, type RefValue, readRef } from "./refs.ts";
import { cachedTrees } from "./tree-cache.ts";
import { entryAt, type WalkedEntry, walkTree } from "./tree-walk.ts";

/**
 * A repository opened for reading, without index or work tree. All calls are synchronous and hold no lock; they stay
 * right while other processes commit, repack and pack refs. Bytes that come out may be shared: never write into them.
 */
export interface GitRepository extends Disposable {
  readonly path: string;
  readonly gitDir: string;
  readonly commonDir: string;
  readonly bare: boolean;
  /** The object that a full ref name stands for; null when it is not there. */
  readRef(ref: string): Oid | null;
  /** Refs whose full name starts with `prefix`, in byte order. */
  listRefs(prefix: string): readonly RefValue[];
  hasObject(oid: Oid): boolean;
  /** Hash-checked; `REPO_CORRUPT` when missing or damaged, `OBJECT_TOO_LARGE` over the cap. */
  readObject(oid: Oid): GitObject;
  readCommit(oid: Oid): Commit;
  readTree(oid: Oid): readonly TreeEntry[];
  readBlob(oid: Oid): Buffer;
  entryAt(tree: Oid, path: string): TreeEntry | null;
  /** Every file below `tree` in byte order, each path led by `prefix`; see `walkTree` for what is yielded. */
  walkTree(tree: Oid, prefix?: string): Iterable<WalkedEntry>;
  /** True when equal, too. */
  isAncestor(ancestor: Oid, descendant: Oid): boolean;
}

export interface OpenRepositoryOptions {
  /** Objects over this are refused before they are inflated. Default 64 MiB. */
  readonly maxObjectBytes?: number;
  /** Delta bases kept in memory. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** Directories of objects that belong to it for this one opening, as git's hooks name them. */
  readonly objectDirectories?: readonly string[];
}

/** Opens what lies at exactly `path`. Throws the first finding of the pre-flight, with the command that fixes it. */
export function openRepository(path: string, options: OpenRepositoryOptions = {}): GitRepository {
  const [finding] = preflight(path);
  if (finding !== undefined) {
    throw new Fault(finding.code, `${finding.message}; fix: ${finding.fix}`, { fields: { fix: finding.fix } });
  }
  const location = locateRepository(path);
  if (location === null) throw new Fault("REPO_NOT_FOUND", `no Git repository at ${path}`);
  const { maxObjectBytes = 64 * 2 ** 20, cacheBytes = 32 * 2 ** 20, objectDirectories: moreDirectories = [] } = options;
  const objects = new ObjectStore(join(location.commonDir, "objects"), { maxObjectBytes, cacheBytes, moreDirectories });
  const readTyped = (type: ObjectType, oid: Oid): Buffer => {
    const object = objects.read(oid);
    if (object.type === type) return object.body;
    throw new Fault("REPO_CORRUPT", `object ${oid} is a ${object.type}, not a ${type}`, { fields: { oid } });
  };
  const readTree = cachedTrees((oid) => decodeTree(readTyped("tree", oid)));
  return {
    ...location,
    bare: isBare(location),
    readRef: (ref) => readRef(location, ref),
    listRefs: (prefix) => listRefs(location, prefix),
    hasObject: (oid) => objects.has(oid),
    readObject: (oid) => objects.read(oid),
    readCommit: (oid) => decodeCommit(oid, readTyped("commit", oid)),
    readTree,
    readBlob: (oid) => readTyped("blob", oid),
    entryAt: (tree, entryPath) => entryAt(readTree, tree, entryPath),
    walkTree: (tree, prefix = "") => walkTree(readTree, tree, prefix.replace(/([^/])$/u, "$1/")),
    isAncestor: (ancestor, descendant) =>
      isAncestor((oid) => decodeParents(readTyped("commit", oid)), ancestor, descendant),
    [Symbol.dispose]: () => objects.close(),
  };
}

/** A linked worktree has a work tree whatever the shared config says. */
function isBare(location: RepositoryLocation): boolean {
  if (location.gitDir !== location.commonDir) return false;
  return booleanOf(readGitConfig(join(location.commonDir, "config")), "core", "bare") ?? isBareByLayout(location);
}
