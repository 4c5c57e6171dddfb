import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { type GitRepository, type Oid, openRepository, openWorkTree, toOid } from "../../git/index.ts";
import type { SpecSource } from "../../reconciler/index.ts";

/** What a command reads: one revision of a repository, or files as they stand on disk. */
export interface SpecPlace extends Disposable {
  readonly kind: "revision" | "files";
  /** Of the repository or folder. */
  readonly path: string;
  readonly source: SpecSource;
  readonly revision: Oid;
  /** For people: `refs/heads/main at 0123456789ab`, or the folder. */
  readonly name: string;
}

const mainRef = "refs/heads/main";

/** A revision where `ref` is given or nothing is checked out, else the files of the work tree. */
export function openSpecPlace(start: string, ref: string | undefined): SpecPlace {
  const root = specRootOf(start);
  if (ref === undefined && isChecked(root)) {
    const tree = openWorkTree(root);
    return {
      kind: "files",
      path: root,
      source: tree,
      revision: tree.root,
      name: `the files in ${root}`,
      [Symbol.dispose]: () => undefined,
    };
  }
  const repository = openRepository(root);
  try {
    const found = revisionOf(repository, ref);
    return {
      kind: "revision",
      path: root,
      source: repository,
      revision: found.oid,
      name: `${found.ref} at ${found.oid.slice(0, 12)}`,
      [Symbol.dispose]: () => repository[Symbol.dispose](),
    };
  } catch (error) {
    repository[Symbol.dispose]();
    throw error;
  }
}

/** The nearest folder at or above `start` that holds a spec repository, as git finds one: from within it works, too. */
export function specRootOf(start: string): string {
  const from = path.resolve(start);
  if (!existsSync(from)) throw new Fault("REPO_NOT_FOUND", `${from} does not exist`);
  for (let dir = from; ; dir = path.dirname(dir)) {
    if (isChecked(dir) || isBare(dir)) return dir;
    if (dir === path.dirname(dir)) throw new Fault("REPO_NOT_FOUND", `no spec repository at ${from} or above it`);
  }
}

const isChecked = (dir: string): boolean => existsSync(path.join(dir, ".git")) || isFile(path.join(dir, "orrery.yaml"));
const isBare = (dir: string): boolean => isFile(path.join(dir, "HEAD")) && existsSync(path.join(dir, "objects"));
const isFile = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;

/** A full ref, a branch name, an object id; without one main, else the branch that HEAD stands for. */
export function revisionOf(
  repository: GitRepository,
  wanted: string | undefined,
): { readonly ref: string; readonly oid: Oid } {
  if (wanted !== undefined && /^[0-9a-f]{40}$/.test(wanted)) return { ref: wanted, oid: toOid(wanted) };
  const names =
    wanted === undefined ? [mainRef, "HEAD"] : wanted.startsWith("refs/") ? [wanted] : [`refs/heads/${wanted}`];
  for (const ref of names) {
    const oid = repository.readRef(ref);
    if (oid !== null) return { ref, oid };
  }
  throw new Fault("REF_MISSING", `${names.join(" or ")} does not exist in ${repository.path}`);
}
