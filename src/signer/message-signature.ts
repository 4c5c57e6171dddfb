import { createHash } from "node:crypto";
import { armorSshsig, ed25519Type, signedData } from "../trust/index.ts";
import type { SigningKey } from "./private-key.ts";

/** Armored SSHSIG of a message, byte for byte what `ssh-keygen -Y sign -n <namespace>` writes. */
export function signSshsig(key: SigningKey, namespace: string, message: Uint8Array): string {
  const raw = key.signRaw(sshsigData(namespace, message));
  return armorSshsig({ blob: key.blob, namespace, hash: "sha512", algorithm: ed25519Type, raw });
}

export function sshsigData(namespace: string, message: Uint8Array): Uint8Array {
  return signedData(namespace, "sha512", createHash("sha512").update(message).digest());
}
