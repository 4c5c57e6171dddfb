import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { isAbsent, readRegularFile, unreadable } from "./regular-file.ts";

/** Where the parts of a repository lie. In a linked worktree `gitDir` holds HEAD, `commonDir` everything shared. */
export interface RepositoryLocation {
  readonly path: string;
  readonly gitDir: string;
  readonly commonDir: string;
}

const maxPointerBytes = 65_536;

/** Finds the repository at exactly `path`: a work tree, a `.git` directory or a bare one. Null where there is none. */
export function locateRepository(path: string): RepositoryLocation | null {
  const at = resolve(path);
  const gitDir = gitDirOf(at);
  if (gitDir === null) return null;
  const pointer = readRegularFile(join(gitDir, "commondir"), maxPointerBytes, "commondir");
  const commonDir = pointer === null ? gitDir : resolve(gitDir, pointer.toString("utf8").trimEnd());
  const whole = existsSync(join(gitDir, "HEAD")) && isDirectory(join(commonDir, "objects"));
  return whole && isDirectory(join(commonDir, "refs")) ? { path: at, gitDir, commonDir } : null;
}

/** Whether git would call it bare where `core.bare` does not say. */
export const isBareByLayout = ({ gitDir, commonDir }: RepositoryLocation): boolean =>
  gitDir === commonDir && basename(gitDir) !== ".git";

function gitDirOf(path: string): string | null {
  const dotGit = join(path, ".git");
  if (isDirectory(dotGit)) return dotGit;
  const pointer = readRegularFile(dotGit, maxPointerBytes, ".git");
  if (pointer !== null) {
    const target = /^gitdir: (.+?)\n*$/su.exec(pointer.toString("utf8"))?.[1];
    return target === undefined ? null : resolve(path, target);
  }
  return isDirectory(path) ? path : null;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw unreadable("the repository", error);
  }
}
