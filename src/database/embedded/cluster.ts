import { spawnSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import type { ServerIdentity } from "./identity.ts";

/** How the server's process is started: as whom, and with what environment. */
export const serverEnvironment = { PATH: "/usr/local/bin:/usr/bin:/bin", TZ: "UTC", LC_ALL: "C" };

/** The major version of the binaries; Fault DATABASE_UNFIT where they do not run here (musl, noexec). */
export function majorOf(binDir: string): number {
  const answer = spawnSync(join(binDir, "postgres"), ["--version"], { encoding: "utf8", env: serverEnvironment });
  const major = Number(/\s(\d+)/.exec(answer.stdout)?.[1]);
  if (Number.isSafeInteger(major)) return major;
  const reason = answer.error?.message ?? answer.stderr.trim();
  throw new Fault("DATABASE_UNFIT", `the embedded PostgreSQL does not run here: ${reason}`);
}

/**
 * Makes the cluster where there is none; refuses one of another major version or another owner by name. A crash half-way
 * leaves `<pgdata>.init`, never half a cluster.
 */
export function ensureCluster(pgdata: string, binDir: string, who: ServerIdentity | null): void {
  if (existsSync(join(pgdata, "PG_VERSION"))) {
    refuseForeignCluster(pgdata, majorOf(binDir), who);
    return;
  }
  const half = `${pgdata}.init`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { mode: 0o700 });
  if (who !== null) chownSync(half, who.uid, who.gid);
  initCluster(half, binDir, who);
  renameSync(half, pgdata);
}

function initCluster(directory: string, binDir: string, who: ServerIdentity | null): void {
  const locale =
    majorOf(binDir) >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] : ["--locale=C"];
  const fd = openSync(directory, "r");
  try {
    const answer = spawnSync(
      join(binDir, "initdb"),
      [
        "-D",
        pathOfFd(3, directory, who),
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "-A",
        "trust",
        "--no-sync",
        "--no-instructions",
      ].concat(locale),
      { encoding: "utf8", cwd: "/", env: serverEnvironment, stdio: ["ignore", "pipe", "pipe", fd], ...who },
    );
    if (answer.status === 0) return;
    const reason = answer.error?.message ?? (answer.stderr.trim() || answer.stdout.trim());
    throw new Fault("DATABASE_UNFIT", `initdb failed: ${reason.slice(-2000)}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * The name under which a dropped uid opens a directory that we hold open as `fd`: its real path may lie below one that
 * lets only root through (a clone in a fresh `mktemp -d`). The data directory's own mode still guards it.
 */
export function pathOfFd(fd: number, path: string, who: ServerIdentity | null): string {
  return who === null || process.platform !== "linux" ? path : `/proc/self/fd/${String(fd)}`;
}

function refuseForeignCluster(pgdata: string, major: number, who: ServerIdentity | null): void {
  const found = readFileSync(join(pgdata, "PG_VERSION"), "utf8").trim();
  if (found !== String(major)) {
    throw new Fault(
      "DATABASE_UNFIT",
      `${pgdata} was made by PostgreSQL ${found}, this is ${String(major)}: move it away and run "orrery rebuild", or install the Orrery that made it`,
    );
  }
  const owner = statSync(join(pgdata, "PG_VERSION")).uid;
  if (who === null && owner !== process.getuid?.()) {
    throw new Fault("DATABASE_UNFIT", `${pgdata} belongs to uid ${String(owner)}: run as that user or as root`);
  }
}
