import { constants } from "node:fs";
import { appendFile, chmod, chown, mkdir, open, readFile, rename, rmdir, stat, unlink } from "node:fs/promises";
import { isAbsent } from "../read/regular-file.ts";

/** What the writer needs to know of a file. */
export interface FileFacts {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

/** A file that was just created. */
export interface DurableFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the bytes would outlive a power cut; the name only after `syncDir`. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every call with which the writer touches the disk, and none besides: tests stop after the k-th, drop what was not
 * synced, and look. Errors are Node's own, with their `code`.
 */
export interface DurableFs {
  mkdir(path: string): Promise<void>;
  /** Creates, never opens: EEXIST when the name is taken. */
  create(path: string, mode: number): Promise<DurableFile>;
  append(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  syncFile(path: string): Promise<void>;
  syncDir(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  /** Null where there is no file. */
  read(path: string): Promise<Buffer | null>;
  facts(path: string): Promise<FileFacts | null>;
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const openMode = 0o777;

export const nodeDurableFs: DurableFs = {
  mkdir: async (path) => {
    await mkdir(path, openMode);
  },
  create: async (path, mode) => {
    const file = await open(path, createFlags, mode);
    return {
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  append: (path, bytes) => appendFile(path, bytes),
  rename,
  unlink,
  rmdir,
  syncFile: syncPath,
  syncDir: syncPath,
  chmod,
  chown,
  read: (path) => orNull(readFile(path)),
  facts: async (path) => {
    const found = await orNull(stat(path));
    if (found === null) return null;
    const { uid, gid, mode, mtimeMs } = found;
    return { uid, gid, mode, modifiedMs: mtimeMs, isDirectory: found.isDirectory() };
  },
};

async function syncPath(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function orNull<T>(pending: Promise<T>): Promise<T | null> {
  try {
    return await pending;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
