import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../base/index.ts";

/** What postmaster.pid says. */
export interface Postmaster {
  readonly pid: number;
  readonly status: string;
}

export function readPostmaster(pgdata: string): Postmaster | null {
  try {
    const lines = readFileSync(join(pgdata, "postmaster.pid"), "utf8").split("\n");
    const pid = Number(lines[0]);
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? "").trim() } : null;
  } catch {
    return null;
  }
}

/** True while the recorded process lives and works in this very directory: a reused pid or a zombie does not. */
export function isAlive(postmaster: Postmaster, pgdata: string): boolean {
  try {
    process.kill(postmaster.pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return readlinkSync(`/proc/${String(postmaster.pid)}/cwd`) === realpathSync(pgdata);
  } catch {
    return false;
  }
}

/**
 * postgres refuses to start while postmaster.pid names any live pid of its uid, zombies too. Removes the file, but only
 * where no process at all works in the directory: backends of a dead postmaster would go on writing.
 */
export function dropStalePostmaster(pgdata: string): void {
  if (process.platform !== "linux") return;
  const real = realpathSync(pgdata);
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name) && cwdOf(name) === real) return;
  }
  rmSync(join(pgdata, "postmaster.pid"), { force: true });
}

/**
 * The socket's lock file outlives a server that was killed, and a zombie's pid in it would refuse the next start. Removes
 * it unless its process works in a data directory: then another server uses this socket directory.
 */
export function dropStaleSocket(socketDir: string): void {
  const lock = join(socketDir, ".s.PGSQL.5432.lock");
  const pid = existsSync(lock) ? (readFileSync(lock, "utf8").split("\n")[0] ?? "") : null;
  if (pid === null || process.platform !== "linux") return;
  const cwd = cwdOf(pid);
  if (cwd !== null && existsSync(join(cwd, "PG_VERSION"))) {
    throw new Fault(
      "DATABASE_UNFIT",
      `the database server of ${cwd} (pid ${pid}) uses the socket directory ${socketDir}`,
    );
  }
  rmSync(lock);
}

function cwdOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}
