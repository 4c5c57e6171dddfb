import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { errnoOf } from "./errno.ts";

/** `why`: one sentence without content. `absent`: there is nothing of that name. */
export type OwnFile =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "absent" }
  | { readonly kind: "refused"; readonly why: string };

export interface OwnFileRules {
  readonly maxBytes: number;
  /** Mode bits that must be clear: 0o077, or 0o037 where a service manager grants its group. */
  readonly forbiddenBits: number;
  /** Whose it may be besides ours and root's; null = nobody's. */
  readonly owner: number | null;
}

/** For root, which keeps another user's data directory: that user. null for everybody else. */
export function placeOwner(dataDir: string): number | null {
  return process.geteuid?.() === 0 ? (statSync(dataDir, { throwIfNoEntry: false })?.uid ?? null) : null;
}

/** Reads a regular file that belongs to us or to root and that nobody else may read or write; follows no symlink. */
export function readOwnFile(path: string, { maxBytes, forbiddenBits, owner }: OwnFileRules): OwnFile {
  let fd: number;
  try {
    // NONBLOCK: a pipe put there would hold the daemon for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return openFailure(error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { kind: "refused", why: "it is no regular file" };
    if (!isOurs(stat.uid) && stat.uid !== owner) return { kind: "refused", why: `it belongs to uid ${stat.uid}` };
    if ((stat.mode & forbiddenBits) !== 0)
      return { kind: "refused", why: `its mode is ${octal(stat.mode)}, others may touch it: chmod 0600` };
    if (stat.size > maxBytes) return { kind: "refused", why: `it is longer than ${maxBytes} bytes` };
    const buffer = Buffer.alloc(maxBytes + 1);
    const length = readSync(fd, buffer, 0, buffer.length, 0);
    if (length > maxBytes) return { kind: "refused", why: `it is longer than ${maxBytes} bytes` };
    return { kind: "read", bytes: buffer.subarray(0, length) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Why a directory cannot be trusted to hold our files, or null; `absent` where it is not there. `owner`: whose it may be
 * besides ours and root's.
 */
export function directoryDefect(path: string, owner: number | null): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "absent";
  if (!stat.isDirectory()) return `${path} is no directory (symlinks are not followed)`;
  if (!isOurs(stat.uid) && stat.uid !== owner) return `${path} belongs to uid ${stat.uid}`;
  return (stat.mode & 0o022) === 0 ? null : `${path} may be written by others: chmod 0700`;
}

const isOurs = (uid: number): boolean => uid === process.geteuid?.() || uid === 0;

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, "0");

function openFailure(error: unknown): OwnFile {
  const errno = errnoOf(error);
  if (errno === "ENOENT" || errno === "ENOTDIR") return { kind: "absent" };
  if (errno === "ELOOP") return { kind: "refused", why: "it is a symlink" };
  return { kind: "refused", why: `it cannot be opened (${errno})` };
}
