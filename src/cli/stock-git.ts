import { spawnSync } from "node:child_process";
import { Fault } from "../base/index.ts";
import { readEnvironment } from "../config/index.ts";

export interface GitCall {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly stdin?: string;
}

/** Stock git, apart from the person's own configuration: what a demo or a check shows must not depend on it. */
export function stockGit({ cwd, args, stdin }: GitCall): string {
  const { path, home } = readEnvironment();
  const result = spawnSync("git", args, {
    cwd,
    input: stdin ?? "",
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: path,
      HOME: home ?? cwd,
      LC_ALL: "C",
      TZ: "UTC",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
    },
  });
  if (result.error !== undefined) throw new Fault("TOOL_MISSING", "git could not be started", { cause: result.error });
  if (result.status !== 0)
    throw new Fault("INTERNAL", `git ${args.join(" ")} failed`, { cause: new Error(result.stderr) });
  // What `--show-signature` says comes on stdout too.
  return result.stdout;
}
