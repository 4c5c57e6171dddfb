import { readFileSync, statSync } from "node:fs";
import { dirname, join, parse, resolve } from "node:path";
import { Fault } from "../../base/index.ts";

/** Who runs the server. */
export interface ServerIdentity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root: the owner of the data that is there, else `postgres`, else `nobody`. null = this
 * process's own uid does. Fault DATABASE_UNFIT where /etc/passwd has none of them (initdb wants an entry).
 */
export function serverIdentity(pgdata: string): ServerIdentity | null {
  if (process.getuid?.() !== 0) return null;
  const owner = ownerOf(join(pgdata, "PG_VERSION"));
  if (owner !== null && owner.uid !== 0) return owner;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Fault(
    "DATABASE_UNFIT",
    "the embedded PostgreSQL cannot run as root, and /etc/passwd has no postgres or nobody",
  );
}

function ownerOf(path: string): ServerIdentity | null {
  try {
    const { uid, gid } = statSync(path);
    return { uid, gid };
  } catch {
    return null;
  }
}

/** Whether `who` may walk down to `path`: every directory above it lets it through. null = ourselves. */
export function isReachable(path: string, who: ServerIdentity | null): boolean {
  if (who === null) return true;
  const full = resolve(path);
  for (let at = dirname(full); ; at = dirname(at)) {
    if (!letsThrough(at, who)) return false;
    if (at === parse(at).root) return true;
  }
}

function letsThrough(directory: string, who: ServerIdentity): boolean {
  const { mode, uid, gid } = statSync(directory);
  if (uid === who.uid) return (mode & 0o100) !== 0;
  return (gid === who.gid ? mode & 0o010 : mode & 0o001) !== 0;
}
