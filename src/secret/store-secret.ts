import { randomBytes } from "node:crypto";
import {
  chownSync,
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
import { directoryDefect } from "./own-file.ts";
import { secretsDirOf } from "./secret-sources.ts";

/**
 * Writes `<data>/secrets/<tenant>/<name>` (0600, of the data directory's owner), whole or not at all. Fault
 * SECRET_UNUSABLE where the directories are not ours alone.
 */
export function storeSecretFile(dataDir: string, { tenant, name }: SecretKey, value: string): string {
  const owner = statSync(dataDir).uid;
  const root = secretsDirOf(dataDir);
  const directory = join(root, tenant);
  for (const path of [root, directory]) makeOwnDirectory(path, owner);
  const file = join(directory, name);
  const scratch = join(directory, `.${name}.${randomBytes(6).toString("hex")}`);
  try {
    const fd = openSync(scratch, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeFileSync(fd, value);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    give(scratch, owner);
    renameSync(scratch, file);
  } finally {
    rmSync(scratch, { force: true });
  }
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  fsyncSync(fd);
  closeSync(fd);
  return file;
}

export interface SecretKey {
  readonly tenant: string;
  readonly name: string;
}

function makeOwnDirectory(path: string, owner: number): void {
  if (directoryDefect(path, owner) === "absent") {
    mkdirSync(path, { mode: 0o700 });
    give(path, owner);
  }
  const defect = directoryDefect(path, owner);
  if (defect !== null) throw new Fault("SECRET_UNUSABLE", defect);
}

/** Root writes for the daemon's user: what root owned, that user could not read. */
function give(path: string, owner: number): void {
  if (process.geteuid?.() === 0 && owner !== 0) chownSync(path, owner, owner);
}
