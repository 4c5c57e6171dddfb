import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { Fault } from "../base/index.ts";
import { errnoOf } from "./errno.ts";
import { placeOwner, readOwnFile } from "./own-file.ts";

/** The site's age key: the identity never leaves the machine, the recipient is public. */
export interface SiteIdentity {
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string;
  /** `age1…` */
  readonly recipient: string;
}

export const ageKeyFileOf = (dataDir: string): string => join(dataDir, "keys", "age.key");

const dataDirOf = (file: string): string => dirname(dirname(file));

const maxKeyFileBytes = 4096;

/** Reads the identity file; null where there is none. Fault KEY_UNREADABLE where others can touch it or it is no key. */
export async function readSiteIdentity(file: string): Promise<SiteIdentity | null> {
  const owner = placeOwner(dataDirOf(file));
  const read = readOwnFile(file, { maxBytes: maxKeyFileBytes, forbiddenBits: 0o077, owner });
  if (read.kind === "absent") return null;
  if (read.kind === "refused") throw new Fault("KEY_UNREADABLE", `${file}: ${read.why}`);
  const identity = /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/m.exec(read.bytes.toString("latin1"))?.[0];
  if (identity === undefined) throw new Fault("KEY_UNREADABLE", `${file}: no line of it is an age identity`);
  try {
    return { identity, recipient: await identityToRecipient(identity) };
  } catch (error) {
    throw new Fault("KEY_UNREADABLE", `${file}: its age identity is damaged`, { cause: error });
  }
}

/** The identity, made where there is none: as `age-keygen` writes it (0600), whole or not at all. */
export async function ensureSiteIdentity(file: string): Promise<SiteIdentity> {
  const known = await readSiteIdentity(file);
  if (known !== null) return known;
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const owner = placeOwner(dataDirOf(file));
  const made = mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (made !== undefined) give(made, owner);
  const isFirst = writeOnce(file, owner, `# public key: ${recipient}\n${identity}\n`);
  // Somebody else was first: theirs is the site's key, files may be encrypted to it already.
  return isFirst ? { identity, recipient } : ((await readSiteIdentity(file)) ?? { identity, recipient });
}

/** What root makes in another user's data directory is for that user's daemon. */
function give(path: string, owner: number | null): void {
  if (owner !== null && owner !== 0) chownSync(path, owner, statSync(dirname(path)).gid);
}

function writeOnce(file: string, owner: number | null, text: string): boolean {
  const scratch = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openSync(scratch, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    give(scratch, owner);
    linkSync(scratch, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw new Fault("KEY_UNREADABLE", `${file}: the key cannot be written (${errnoOf(error)})`, { cause: error });
  } finally {
    rmSync(scratch, { force: true });
  }
}
