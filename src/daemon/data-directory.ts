import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fault } from "../base/index.ts";
import { sha256Hex } from "../base/node-digest.ts";
import { type DaemonFile, daemonFileOf, isAlive } from "../config/index.ts";

/** The daemon's own place on disk, held by one daemon at a time. */
export interface DataDirectory extends Disposable {
  readonly root: string;
  /** Short, for sockets: a path of theirs must stay below 108 bytes. */
  readonly runDir: string;
  below(...parts: string[]): string;
  /** Written whole, so that a reader never sees half of it. */
  writeDaemonFile(file: DaemonFile): void;
}

/** Makes the directory (0755: the database's user must pass) and takes it. Fault DATA_DIR_BUSY names the other's pid. */
export function openDataDirectory(root: string): DataDirectory {
  mkdirSync(root, { recursive: true, mode: 0o755 });
  mkdirSync(path.join(root, "keys"), { recursive: true, mode: 0o700 });
  const lock = takeLock(root);
  const runDir = makeRunDir(root);
  return {
    root,
    runDir,
    below: (...parts) => path.join(root, ...parts),
    writeDaemonFile: (file) => writeWhole(daemonFileOf(root), `${JSON.stringify(file)}\n`),
    [Symbol.dispose]: () => {
      rmSync(daemonFileOf(root), { force: true });
      rmSync(runDir, { recursive: true, force: true });
      rmSync(lock, { force: true });
    },
  };
}

interface LockHolder {
  readonly pid: number;
  /** Start of the process as the kernel counts it: a reused pid is not the daemon that took the lock. */
  readonly started: string;
}

const lockOf = (root: string): string => path.join(root, "daemon.lock");

/** Fault DATA_DIR_BUSY with the pid where a daemon holds the directory; says nothing of one that starts a moment later. */
export function refuseHeldDirectory(root: string): void {
  const holder = readHolder(lockOf(root));
  if (holder === null || !isAlive(holder.pid) || startOf(holder.pid) !== holder.started) return;
  throw new Fault("DATA_DIR_BUSY", `${root} is in use by the daemon with pid ${holder.pid}`, {
    fields: { pid: holder.pid },
  });
}

function takeLock(root: string): string {
  const file = lockOf(root);
  for (let tries = 0; tries < 3; tries++) {
    try {
      const fd = openSync(file, "wx", 0o644);
      writeSync(fd, JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies LockHolder));
      fsyncSync(fd);
      closeSync(fd);
      return file;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      refuseHeldDirectory(root);
      unlinkSync(file);
    }
  }
  throw new Fault("DATA_DIR_BUSY", `${root} is being taken by another daemon`);
}

function readHolder(file: string): LockHolder | null {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as Partial<LockHolder>;
    return typeof value.pid === "number" && typeof value.started === "string"
      ? { pid: value.pid, started: value.started }
      : null;
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat with the boot id; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${fields[19] ?? ""}`;
  } catch {
    return "";
  }
}

const maxBaseBytes = 40;

/** One directory per data directory, ours alone: in /tmp somebody else could have made it first. */
function makeRunDir(root: string): string {
  const base = Buffer.byteLength(tmpdir()) <= maxBaseBytes ? tmpdir() : "/tmp";
  const uid = process.getuid?.() ?? 0;
  const dir = path.join(base, `orrery-${uid}-${sha256Hex(root).slice(0, 10)}`);
  // As root the users of hosts and database must pass through, but see nothing listed.
  const mode = uid === 0 ? 0o711 : 0o700;
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    const found = lstatSync(dir);
    if (!found.isDirectory() || found.uid !== uid)
      throw new Fault("DATA_DIR_BUSY", `${dir} belongs to somebody else: remove it`);
  }
  chmodSync(dir, mode);
  return dir;
}

function writeWhole(file: string, text: string): void {
  const temporary = `${file}.new`;
  const fd = openSync(temporary, "w", 0o644);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
}
