import { generateKeyPairSync, randomBytes } from "node:crypto";
import { closeSync, constants, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../base/index.ts";
import { ed25519Blob, publicKeyLine, wireString, wireUint32 } from "../trust/index.ts";
import { readPrivateKey, type SigningKey } from "./private-key.ts";

/**
 * Makes an ed25519 key as `ssh-keygen -t ed25519 -N ""` would: `path` (0600) and `path.pub`. The key file appears whole
 * or not at all and is on disk when this returns; one that is there already is never replaced (`KEY_UNREADABLE`).
 */
export function createPrivateKeyFile(path: string, comment: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const public32 = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const cleanComment = comment.replaceAll(/[\r\n]/g, " ");
  const scratch = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeDurably(scratch, privateKeyText({ seed, public32, comment: cleanComment }), 0o600);
    linkSync(scratch, path);
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    const reason = exists ? "a key is there already and is not replaced" : "the key cannot be written";
    throw new Fault("KEY_UNREADABLE", `${path}: ${reason}`, { cause: error });
  } finally {
    rmSync(scratch, { force: true });
  }
  writeDurably(`${scratch}.pub`, `${publicKeyLine(ed25519Blob(public32))} ${cleanComment}\n`, 0o644);
  renameSync(`${scratch}.pub`, `${path}.pub`);
  syncDirectory(dirname(path));
  return readPrivateKey(path);
}

/** PROTOCOL.key of OpenSSH, cipher none. */
function privateKeyText(key: { seed: Uint8Array; public32: Uint8Array; comment: string }): string {
  const blob = ed25519Blob(key.public32);
  const check = randomBytes(4);
  const secret = wireString(Buffer.concat([key.seed, key.public32]));
  const content = Buffer.concat([check, check, blob, secret, wireString(key.comment)]);
  // Cipher none has a block size of 8.
  const padding = Uint8Array.from({ length: (8 - (content.length % 8)) % 8 }, (_, i) => i + 1);
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0", "latin1"),
    ...[wireString("none"), wireString("none"), wireString("")],
    wireUint32(1),
    wireString(blob),
    wireString(Buffer.concat([content, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function writeDurably(path: string, text: string, mode: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A rename or link is on disk only when its directory is. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
