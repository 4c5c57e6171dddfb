import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Fault } from "../../base/index.ts";

const absent = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG"]);

/** The `code` of a file system error, or null. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

export const isAbsent = (error: unknown): boolean => absent.has(errnoOf(error) ?? "");

/** What a failed read means to those above: the repository is there but cannot be read now. */
export const unreadable = (what: string, error: unknown): Fault =>
  error instanceof Fault
    ? error
    : new Fault("REPO_CORRUPT", `cannot read ${what} (${errnoOf(error) ?? "unknown"})`, { cause: error });

/**
 * The bytes of a regular file, or null where there is none. Never blocks: a FIFO planted under an object's name would
 * hang a plain open for ever.
 */
export function readRegularFile(path: string, maxBytes: number, what: string): Buffer | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (stat.isDirectory()) return null;
      if (!stat.isFile()) throw new Fault("REPO_CORRUPT", `${what} is no regular file`);
      if (stat.size > maxBytes) throw new Fault("OBJECT_TOO_LARGE", `${what} has ${String(stat.size)} bytes`);
      return readFully(fd, Buffer.allocUnsafe(stat.size), 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isAbsent(error)) return null;
    throw unreadable(what, error);
  }
}

/** Fills `into` from `position`; returns the part that the file had. */
export function readFully(fd: number, into: Buffer, position: number): Buffer {
  let filled = 0;
  while (filled < into.length) {
    const bytes = readSync(fd, into, filled, into.length - filled, position + filled);
    if (bytes === 0) break;
    filled += bytes;
  }
  return into.subarray(0, filled);
}
