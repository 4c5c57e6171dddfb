import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type DurableFs, nodeDurableFs } from "../../../src/git/index.ts";

/** The end of the process, as the code under test sees it: no errno, and nothing works after it. */
export class Crash extends Error {}

interface Inode {
  content: Buffer;
  /** What the last fsync saw. */
  synced: Buffer | null;
}

type Entry =
  | { readonly op: "mkdir" | "unlink" | "rmdir"; readonly path: string }
  | { readonly op: "create"; readonly path: string; readonly inode: Inode }
  | { readonly op: "rename"; readonly path: string; readonly from: string; readonly inode: Inode }
  | { readonly op: "syncDir"; readonly path: string };

/** A sync is a promise about a power cut, and here the power cut is played: nothing to wait for. */
const noSync = (): Promise<void> => Promise.resolve();

/** Node's own, without the waiting. */
export const unsyncedFs: DurableFs = {
  ...nodeDurableFs,
  syncDir: noSync,
  syncFile: noSync,
  create: async (path, mode) => ({ ...(await nodeDurableFs.create(path, mode)), sync: noSync }),
};

/** How the disk looks after the power came back. */
export interface Survival {
  readonly name: string;
  /** Whether a change of a directory that was not synced is there. */
  readonly keepsEntry: () => boolean;
  /** How much of a file's unsynced bytes is there. */
  readonly keepsBytes: () => "all" | "half" | "none" | "zeros";
}

/**
 * A DurableFs that works on `root` until the k-th call and then never again. `restore` makes of a copy of the state
 * before what the disk would hold after a power cut: everything synced, and of the rest what `survival` says.
 */
export class CrashFs {
  readonly #root: string;
  readonly #lastCall: number;
  readonly #entries: Entry[] = [];
  readonly #inodes = new Map<string, Inode>();
  calls = 0;

  constructor(root: string, lastCall: number) {
    this.#root = root;
    this.#lastCall = lastCall;
  }

  readonly fs: DurableFs = {
    mkdir: (path) => this.#call(() => nodeDurableFs.mkdir(path), { op: "mkdir", path }),
    create: async (path, mode) => {
      const inode: Inode = { content: Buffer.alloc(0), synced: null };
      const file = await this.#call(() => nodeDurableFs.create(path, mode), { op: "create", path, inode });
      this.#inodes.set(path, inode);
      return {
        write: async (bytes) => {
          await this.#call(() => file.write(bytes));
          inode.content = Buffer.concat([inode.content, bytes]);
        },
        sync: async () => {
          await this.#call(noSync);
          inode.synced = inode.content;
        },
        // The kernel closes the files of a dead process.
        close: () => this.#look(noSync).finally(() => file.close()),
      };
    },
    rename: async (from, path) => {
      const inode = this.#inodeOf(from);
      await this.#call(() => nodeDurableFs.rename(from, path), { op: "rename", from, path, inode });
      this.#inodes.delete(from);
      this.#inodes.set(path, inode);
    },
    unlink: (path) => this.#call(() => nodeDurableFs.unlink(path), { op: "unlink", path }),
    rmdir: (path) => this.#call(() => nodeDurableFs.rmdir(path), { op: "rmdir", path }),
    syncFile: async (path) => {
      await this.#call(noSync);
      const inode = this.#inodes.get(path);
      if (inode !== undefined) inode.synced = inode.content;
    },
    syncDir: (path) => this.#call(noSync, { op: "syncDir", path }),
    // Reflogs are for people and never promised to last: left out of the copies.
    append: (path, bytes) => this.#call(() => nodeDurableFs.append(path, bytes)),
    chmod: (path, mode) => this.#call(() => nodeDurableFs.chmod(path, mode)),
    chown: (path, uid, gid) => this.#call(() => nodeDurableFs.chown(path, uid, gid)),
    read: (path) => this.#look(() => nodeDurableFs.read(path)),
    facts: (path) => this.#look(() => nodeDurableFs.facts(path)),
  };

  restore(before: string, to: string, { keepsEntry, keepsBytes }: Survival): void {
    cpSync(before, to, { recursive: true, preserveTimestamps: true });
    const entries = this.#entries.filter((entry, at) => this.#isSynced(entry, at) || keepsEntry());
    for (const entry of entries) {
      const path = join(to, relative(this.#root, entry.path));
      // What stands in a directory that was lost is lost with it.
      if (entry.op === "mkdir") ignoringAbsence(() => mkdirSync(path));
      if (entry.op === "unlink" || entry.op === "rmdir") rmSync(path, { recursive: true, force: true });
      if (entry.op === "create" || entry.op === "rename") {
        const bytes = survivingBytes(entry.inode, keepsBytes());
        ignoringAbsence(() => {
          rmSync(path, { force: true, recursive: true });
          writeFileSync(path, bytes, { flag: "wx" });
        });
      }
      if (entry.op === "rename") rmSync(join(to, relative(this.#root, entry.from)), { force: true });
    }
  }

  #isSynced(entry: Entry, at: number): boolean {
    const dir = dirname(entry.path);
    return this.#entries.some(({ op, path }, later) => op === "syncDir" && path === dir && later > at);
  }

  #inodeOf(path: string): Inode {
    const inode = this.#inodes.get(path);
    if (inode === undefined) throw new Error(`renamed what was not created here: ${path}`);
    return inode;
  }

  /** Looking changes nothing: a crash after it is the crash before it. */
  async #look<T>(work: () => Promise<T>): Promise<T> {
    if (this.calls >= this.#lastCall) throw new Crash("power cut");
    return await work();
  }

  /** A call counts, and has its effect, only when the real one succeeded. */
  async #call<T>(work: () => Promise<T>, entry?: Entry): Promise<T> {
    const result = await this.#look(work);
    this.calls++;
    if (entry !== undefined) this.#entries.push(entry);
    return result;
  }
}

function survivingBytes({ content, synced }: Inode, kept: ReturnType<Survival["keepsBytes"]>): Buffer {
  if (synced?.equals(content) === true) return content;
  if (kept === "all") return content;
  if (kept === "zeros") return Buffer.alloc(content.length);
  return content.subarray(0, kept === "half" ? content.length >> 1 : 0);
}

function ignoringAbsence(work: () => void): void {
  try {
    work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code !== "ENOENT" && code !== "EEXIST") throw error;
  }
}
