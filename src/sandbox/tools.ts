import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { promisify } from "node:util";
import type { HostSystem } from "./host-system.ts";

/** A limit of one process that a shell's `ulimit` may know, by its letter. */
export type UlimitLetter = (typeof ulimitLetters)[number];

const ulimitLetters = ["c", "d", "f", "n", "p", "u"] as const;

/** What sets a host's rlimits: util-linux, or the system's shell with the letters that work here (none = no limit at all). */
export type Limiter =
  | { readonly kind: "prlimit"; readonly path: string }
  | { readonly kind: "ulimit"; readonly letters: ReadonlySet<UlimitLetter> };

export interface Tools {
  readonly bwrap: string | null;
  readonly setpriv: string | null;
  readonly limiter: Limiter;
}

/** The system's tools by fixed directories: PATH is not asked, since what it finds would run as root. */
export async function findTools({ platform, toolDirs }: HostSystem): Promise<Tools> {
  const find = (name: string): Promise<string | null> => (platform === "linux" ? findIn(toolDirs, name) : none);
  const [bwrap, prlimit, setpriv] = await Promise.all([find("bwrap"), find("prlimit"), find("setpriv")]);
  const limiter: Limiter =
    prlimit === null ? { kind: "ulimit", letters: await workingLetters() } : { kind: "prlimit", path: prlimit };
  return { bwrap, setpriv, limiter };
}

const none = Promise.resolve(null);

async function findIn(directories: readonly string[], name: string): Promise<string | null> {
  for (const directory of directories) {
    const path = `${directory}/${name}`;
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

/** Shells differ (dash knows -p where bash knows -u), and a limit that is only asked for holds nothing: each is read back. */
async function workingLetters(): Promise<ReadonlySet<UlimitLetter>> {
  const probe = 'for l in "$@"; do (ulimit -$l 64 && [ "$(ulimit -$l)" = 64 ]) >/dev/null 2>&1 && echo $l; done; :';
  const args = ["-c", probe, "sh", ...ulimitLetters];
  const { stdout } = await promisify(execFile)("/bin/sh", args, { env: {} }).catch(() => ({ stdout: "" }));
  const words = new Set(stdout.split("\n"));
  return new Set(ulimitLetters.filter((letter) => words.has(letter)));
}
