import { spawnSync } from "node:child_process";
import { readEnvironment } from "../../config/index.ts";
import { fail, fine, type HealthCheck, warn } from "./health-check.ts";

/** Programs that Orrery or its documented commands start, with the oldest version that does. */
export function toolChecks(): readonly HealthCheck[] {
  return [nodeCheck(process.versions.node), gitCheck(), sshKeygenCheck(), bwrapCheck()];
}

const oldestNode = [20, 19];
const oldestGit = [2, 34];

export function nodeCheck(version: string): HealthCheck {
  return isAtLeast(version, oldestNode)
    ? fine("node", `v${version}`)
    : fail("node", `v${version} is too old`, "install Node.js 20.19 or newer");
}

function gitCheck(): HealthCheck {
  const version = /git version (\S+)/.exec(run("git", ["--version"]) ?? "")?.[1];
  if (version === undefined) return fail("git", "not found", "install git 2.34 or newer");
  return isAtLeast(version, oldestGit)
    ? fine("git", version)
    : warn("git", `${version} cannot check SSH signatures`, "install git 2.34 or newer");
}

function sshKeygenCheck(): HealthCheck {
  const install = "install openssh-client";
  // It has no --version; `-Y` came with OpenSSH 8.0 and complains of what follows it.
  const answer = run("ssh-keygen", ["-Y", "verify"]);
  if (answer === null) return fail("ssh-keygen", "not found", install);
  if (/(unknown|illegal|invalid) option/i.test(answer)) return fail("ssh-keygen", "too old: it knows no -Y", install);
  const version = /^(OpenSSH_\S+?),?\s/.exec(run("ssh", ["-V"]) ?? "")?.[1];
  return fine("ssh-keygen", version ?? "signs and verifies (-Y)");
}

function bwrapCheck(): HealthCheck {
  const version = /bubblewrap (\S+)/.exec(run("bwrap", ["--version"]) ?? "")?.[1];
  return version === undefined
    ? warn("bwrap", "not found: no level above process", "install bubblewrap")
    : fine("bwrap", version);
}

/** What a program says on both streams, whatever its exit code; null where it cannot be started. */
function run(program: string, args: readonly string[]): string | null {
  const { path } = readEnvironment();
  const result = spawnSync(program, args, { encoding: "utf8", timeout: 10_000, env: { PATH: path, LC_ALL: "C" } });
  return result.error === undefined ? `${result.stdout}${result.stderr}` : null;
}

function isAtLeast(version: string, [major = 0, minor = 0]: readonly number[]): boolean {
  const [isMajor = 0, isMinor = 0] = version.split(".").map(Number);
  return isMajor > major || (isMajor === major && isMinor >= minor);
}
