import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fault } from "../base/index.ts";
import { sha256Hex } from "../base/node-digest.ts";
import { type DaemonFile, daemonFileOf } from "../config/index.ts";
import { takeDaemonLock } from "./daemon-lock.ts";

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
  const lock = takeDaemonLock(root);
  const runDir = makeRunDir(root);
  return {
    root,
    runDir,
    below: (...parts) => path.join(root, ...parts),
    writeDaemonFile: (file) => writeWhole(daemonFileOf(root), `${JSON.stringify(file)}\n`),
    [Symbol.dispose]: () => {
      rmSync(daemonFileOf(root), { force: true });
      rmSync(runDir, { recursive: true, force: true });
      lock.release();
    },
  };
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
