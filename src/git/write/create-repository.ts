import * as nodeFs from "node:fs";
import { chmod, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Fault } from "../../base/index.ts";
import type { GitObject, Oid } from "../format/object.ts";
import { isRefName } from "../format/ref-name.ts";
import { locateRepository } from "../read/location.ts";
import { openRepository } from "../read/repository.ts";
import { createGitWriter } from "./git-writer.ts";

export interface CreateRepositoryOptions {
  readonly bare: true;
  /** Full name of the branch that HEAD stands for. */
  readonly head: string;
  /** What `head` starts with; without it the branch is unborn. */
  readonly first?: FirstCommit;
}

/** A commit and every object that it needs. */
export interface FirstCommit {
  readonly commit: Oid;
  readonly objects: readonly GitObject[];
}

const config = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[receive]
\tdenyNonFastForwards = true
\tdenyDeletes = true
`;

/** Runs in the pushing person's git, not in ours: the audit branch is moved by the recorder alone. `orrery hook install` builds on it. */
export const updateHook = `#!/bin/sh
# update <ref> <old> <new>
case "$1" in
refs/heads/audit/*|refs/orrery/sites/*)
\techo "$1 is written by the recorder alone" >&2
\texit 1
\t;;
esac
`;

/**
 * Makes a bare repository that stock git takes for one of its own, empty or with one commit. It appears at `dir`
 * complete or not at all; `REPO_NOT_WRITABLE` when something is there already.
 */
export async function createRepository(dir: string, { head, first }: CreateRepositoryOptions): Promise<void> {
  const target = resolve(dir);
  const branch = /^refs\/heads\/(.+)$/u.exec(head)?.[1];
  if (branch === undefined || !isRefName(head)) throw new Fault("INTERNAL", `${head} is no branch`);
  if (locateRepository(target) !== null) throw new Fault("REPO_NOT_WRITABLE", `${target} holds a repository already`);
  const scratch = `${target}.init-${String(process.pid)}`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await rm(scratch, { recursive: true, force: true });
    await fillRepository(scratch, branch);
    if (first !== undefined) await plantCommit(scratch, head, first);
    // Onto an empty directory this succeeds, onto anything else it fails.
    await rename(scratch, target);
    await syncPath(dirname(target));
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw new Fault("REPO_NOT_WRITABLE", `cannot make a repository at ${target}`, { cause: error });
  }
}

async function fillRepository(dir: string, branch: string): Promise<void> {
  const { init } = await import("isomorphic-git");
  await mkdir(dir);
  await init({ fs: nodeFs, dir, gitdir: dir, bare: true, defaultBranch: branch });
  // The library's config says that the file system folds case and has no modes.
  await writeFile(join(dir, "config"), config);
  await mkdir(join(dir, "hooks"), { recursive: true });
  await writeFile(join(dir, "hooks", "update"), updateHook);
  await chmod(join(dir, "hooks", "update"), 0o755);
  for (const entry of await readdir(dir, { recursive: true })) await syncPath(join(dir, entry));
  await syncPath(dir);
}

/** Without lock and reflog: nobody else can see the repository yet. The one place that writes a branch of people. */
async function plantCommit(dir: string, head: string, { commit, objects }: FirstCommit): Promise<void> {
  using repository = openRepository(dir);
  await createGitWriter(repository).putObjects(objects);
  if (repository.readObject(commit).type !== "commit") throw new Fault("INTERNAL", `${head} must be a commit`);
  const file = join(dir, head);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${commit}\n`);
  await syncPath(file);
  for (let at = dirname(file); at !== dirname(dir); at = dirname(at)) await syncPath(at);
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
