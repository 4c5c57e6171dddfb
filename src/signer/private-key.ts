import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { bytesOfBase64, ed25519KeyOf, ed25519Type, parsed, sameBytes, WireDefect, WireReader } from "../trust/index.ts";

/** An ed25519 key of which only the public half can be read back. */
export interface SigningKey {
  /** Public key in wire form. */
  readonly blob: Uint8Array;
  readonly comment: string;
  /** RFC 8032: 64 bytes, equal for equal input. */
  signRaw(bytes: Uint8Array): Uint8Array;
}

/** DER of a PrivateKeyInfo up to the 32 bytes of an ed25519 seed (RFC 8410). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const maxKeyFileBytes = 64 * 1024;
const magic = "openssh-key-v1\0";

/** Reads an OpenSSH private key file: ed25519, not encrypted, no bit for group or others; else `KEY_UNREADABLE`. */
export function readPrivateKey(path: string): SigningKey {
  const text = readOwnFile(path);
  const key = parsed(() => parsePrivateKey(text));
  if (!key.ok) throw unreadable(path, key.reason);
  return key.value;
}

const unreadable = (path: string, reason: string, cause?: unknown): Fault =>
  new Fault("KEY_UNREADABLE", `${path}: ${reason}`, { cause });

function readOwnFile(path: string): string {
  let fd: number;
  try {
    // A FIFO in its place must not block the start.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(path, "cannot be opened", error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > maxKeyFileBytes) throw unreadable(path, "is no key file");
    const mode = stat.mode & 0o777;
    if ((mode & 0o077) !== 0) {
      const octal = mode.toString(8).padStart(4, "0");
      throw unreadable(path, `mode ${octal} is too open: chmod 600 it, and make a new key if others could read it`);
    }
    return readFileSync(fd, "latin1");
  } finally {
    closeSync(fd);
  }
}

function parsePrivateKey(text: string): SigningKey {
  const lines = text.replaceAll("\r\n", "\n").trimEnd().split("\n");
  if (lines.shift() !== "-----BEGIN OPENSSH PRIVATE KEY-----" || lines.pop() !== "-----END OPENSSH PRIVATE KEY-----") {
    throw new WireDefect("is no OpenSSH private key file");
  }
  const bytes = bytesOfBase64(lines.join(""));
  if (bytes === null) throw new WireDefect("its base64 is broken");
  const reader = new WireReader(bytes);
  if (Buffer.from(reader.raw(magic.length)).toString("latin1") !== magic) throw new WireDefect("is no OpenSSH key");
  const cipher = reader.name();
  reader.name();
  reader.string();
  if (cipher !== "none") {
    throw new WireDefect(
      `is encrypted (${cipher}): load it into ssh-agent and sign with that, or use a key without passphrase`,
    );
  }
  if (reader.uint32() !== 1) throw new WireDefect("holds more than one key");
  const blob = reader.string();
  const section = reader.string();
  reader.end();
  return keyOf(blob, new WireReader(section));
}

function keyOf(blob: Uint8Array, section: WireReader): SigningKey {
  if (section.uint32() !== section.uint32()) throw new WireDefect("is damaged: check numbers differ");
  const type = section.name();
  if (type !== ed25519Type) throw new WireDefect(`is of type ${type}: only ssh-ed25519 signs`);
  const publicKey = section.string();
  const secret = section.string();
  const comment = Buffer.from(section.string()).toString("utf8");
  for (let expected = 1; section.left > 0; expected++) {
    if (section.raw(1)[0] !== (expected & 255)) throw new WireDefect("is damaged: padding");
  }
  if (secret.length !== 64) throw new WireDefect("is damaged: its secret half is not 64 bytes");
  const der = Buffer.concat([pkcs8Prefix, secret.subarray(0, 32)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const derived = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  if ([publicKey, secret.subarray(32), ed25519KeyOf(blob)].some((half) => !sameBytes(half, derived))) {
    throw new WireDefect("is damaged: its halves do not fit");
  }
  return { blob: Uint8Array.from(blob), comment, signRaw: (bytes) => sign(null, bytes, key) };
}
