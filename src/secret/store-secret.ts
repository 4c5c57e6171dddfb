import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { errnoOf } from "./errno.ts";
import { directoryDefect } from "./own-file.ts";
import { secretsDirOf } from "./secret-sources.ts";

/**
 * Writes `<data>/secrets/<tenant>/<name>` (0600, of the data directory's owner), whole or not at all. Fault
 * SECRET_UNUSABLE where the directories are not ours alone, or their owner may not write there.
 */
export function storeSecretFile(dataDir: string, { tenant, name }: SecretKey, value: string): string {
  const { uid, gid } = statSync(dataDir);
  const root = secretsDirOf(dataDir);
  const directory = join(root, tenant);
  const file = join(directory, name);
  try {
    asOwner({ uid, gid }, () => {
      for (const path of [root, directory]) makeOwnDirectory(path, uid);
      writeWhole(directory, name, value);
    });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "") throw error;
    throw new Fault("SECRET_UNUSABLE", `${file} cannot be written (${errno})`, { cause: error });
  }
  return file;
}

export interface SecretKey {
  readonly tenant: string;
  readonly name: string;
}

/**
 * Root writes as the daemon's user: what root owned, that user could not read. And a directory that this user swaps for
 * a symlink in the same moment leads root nowhere that the user could not write anyway. Only where one thing is done at
 * a time: the ids are those of the process.
 */
function asOwner({ uid, gid }: { readonly uid: number; readonly gid: number }, write: () => void): void {
  const { geteuid, getegid, seteuid, setegid } = process;
  const before = { uid: geteuid?.(), gid: getegid?.() };
  if (before.uid !== 0 || before.gid === undefined || uid === 0) {
    write();
    return;
  }
  setegid?.(gid);
  seteuid?.(uid);
  try {
    write();
  } finally {
    seteuid?.(before.uid);
    setegid?.(before.gid);
  }
}

function makeOwnDirectory(path: string, owner: number): void {
  if (directoryDefect(path, owner) === "absent") mkdirSync(path, { mode: 0o700 });
  const defect = directoryDefect(path, owner);
  if (defect !== null) throw new Fault("SECRET_UNUSABLE", defect);
}

function writeWhole(directory: string, name: string, value: string): void {
  const scratch = join(directory, `.${name}.${randomBytes(6).toString("hex")}`);
  try {
    const fd = openSync(scratch, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeFileSync(fd, value);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(scratch, join(directory, name));
  } finally {
    rmSync(scratch, { force: true });
  }
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  fsyncSync(fd);
  closeSync(fd);
}
