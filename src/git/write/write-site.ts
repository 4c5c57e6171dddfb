import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { type GitConfig, readGitConfig } from "../read/git-config.ts";
import { errnoOf } from "../read/regular-file.ts";
import type { GitRepository } from "../read/repository.ts";
import type { DurableFs } from "./durable-fs.ts";
import { type Ownership, ownershipOf } from "./ownership.ts";

/** What both halves of the writer, objects and refs, work with. */
export interface WriteSite {
  readonly repository: GitRepository;
  readonly fs: DurableFs;
  readonly random: () => number;
  readonly config: GitConfig;
  readonly ownership: Ownership;
}

/** Looks at the repository as it is now: a config that its owner changed counts from the next write on. */
export async function openWriteSite(
  repository: GitRepository,
  fs: DurableFs,
  random: () => number,
): Promise<WriteSite> {
  const config = readGitConfig(join(repository.commonDir, "config"));
  const directory = await fs.facts(join(repository.commonDir, "objects"));
  if (directory === null) throw new Fault("REPO_NOT_FOUND", "the repository has no objects directory");
  const ownership = ownershipOf(fs, config, directory, process.geteuid?.() ?? directory.uid);
  return { repository, fs, random, config, ownership };
}

/** Makes `parts` below `root` one by one; a new name is synced before anything is put into it. */
export async function makeDirectories(site: WriteSite, root: string, parts: readonly string[]): Promise<string> {
  let at = root;
  for (const part of parts) {
    const parent = at;
    at = join(at, part);
    try {
      await site.fs.mkdir(at);
    } catch (error) {
      if (errnoOf(error) === "EEXIST") continue;
      throw error;
    }
    await site.ownership.adopt(at, "directory");
    await site.fs.syncDir(parent);
  }
  return at;
}

/** Translates what the file system says; anything without an errno is not its word and passes. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof Fault || errno === null) throw error;
    throw new Fault("REPO_NOT_WRITABLE", `cannot write the repository (${errno})`, { cause: error });
  }
}
