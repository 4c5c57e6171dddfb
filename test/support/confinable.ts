import { spawnSync } from "node:child_process";

/** null where level confined can be had here; else why not, for the name of what is skipped. */
export function isConfinable(): string | null {
  const args = ["--unshare-all", "--ro-bind", "/", "/", "true"];
  const { status, error } = spawnSync("bwrap", args, { stdio: "ignore" });
  if (error !== undefined) return "bubblewrap is not installed";
  return status === 0 ? null : "this machine lets bubblewrap make no namespaces";
}
