import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { usage } from "../terminal.ts";

export interface HookHome {
  /** Where git looks for hooks of this repository. */
  readonly folder: string;
  readonly isBare: boolean;
}

/**
 * As git itself finds it, `core.hooksPath` and linked work trees included. USAGE where it lies outside of the repository:
 * what is written there would run in other repositories, too.
 */
export function hooksFolderOf(repository: string): HookHome {
  const said = askGit(repository, ["rev-parse", "--git-common-dir", "--is-bare-repository", "--git-path", "hooks"]);
  const [common = "", bare, hooks = ""] = said.trimEnd().split("\n");
  const at = path.resolve(repository);
  const folder = path.resolve(at, hooks);
  const inside = [path.resolve(at, common), at].some((home) => isWithin(realOf(home), realOf(folder)));
  if (!inside)
    throw usage(`core.hooksPath sends hooks of ${repository} to ${folder}: call orrery hook run from the hooks there`);
  return { folder, isBare: bare === "true" };
}

/** git with the person's own configuration and, within a hook, its index. Fault TOOL_MISSING, REPO_NOT_FOUND. */
export function askGit(cwd: string, args: readonly string[], pass: Readonly<Record<string, string>> = {}): string {
  const { path: searched, home } = readEnvironment();
  const result = spawnSync("git", args, {
    cwd,
    encoding: "utf8",
    env: { PATH: searched, LC_ALL: "C", ...(home === null ? {} : { HOME: home }), ...pass },
  });
  if (result.error !== undefined) throw new Fault("TOOL_MISSING", "git could not be started", { cause: result.error });
  if (result.status === 0) return result.stdout;
  throw new Fault(
    "REPO_NOT_FOUND",
    `git ${args[0] ?? ""} in ${cwd}: ${result.stderr.trim().split("\n")[0] ?? "failed"}`,
  );
}

const isWithin = (home: string, folder: string): boolean => {
  const relative = path.relative(home, folder);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
};

/** The real path of what stands, and of the nearest folder above where nothing does. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder === path.dirname(folder) ? folder : path.join(realOf(path.dirname(folder)), path.basename(folder));
  }
}
