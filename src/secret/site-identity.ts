import { randomBytes } from "node:crypto";
import { closeSync, constants, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { Fault } from "../base/index.ts";
import { errnoOf } from "./errno.ts";
import { readOwnFile } from "./own-file.ts";

/** The site's age key: the identity never leaves the machine, the recipient is public. */
export interface SiteIdentity {
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string;
  /** `age1…` */
  readonly recipient: string;
}

export const ageKeyFileOf = (dataDir: string): string => join(dataDir, "keys", "age.key");

const maxKeyFileBytes = 4096;

/** Reads the identity file; null where there is none. Fault KEY_UNREADABLE where others can touch it or it is no key. */
export async function readSiteIdentity(file: string): Promise<SiteIdentity | null> {
  const read = readOwnFile(file, { maxBytes: maxKeyFileBytes, forbiddenBits: 0o077 });
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
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const made = writeOnce(file, `# public key: ${recipient}\n${identity}\n`);
  // Somebody else was first: theirs is the site's key, files may be encrypted to it already.
  return made ? { identity, recipient } : ((await readSiteIdentity(file)) ?? { identity, recipient });
}

function writeOnce(file: string, text: string): boolean {
  const scratch = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openSync(scratch, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(scratch, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw new Fault("KEY_UNREADABLE", `${file}: the key cannot be written (${errnoOf(error)})`, { cause: error });
  } finally {
    rmSync(scratch, { force: true });
  }
}
