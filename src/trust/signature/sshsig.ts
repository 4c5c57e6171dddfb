import { bytesOfText } from "../../base/index.ts";
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { isVerifiedType, keyPartsOf } from "./key-kinds.ts";
import { fingerprintOf, isCertificateType, keyTypeOf } from "./public-key.ts";
import {
  joinBytes,
  type Parsed,
  parsed,
  sameBytes,
  WireDefect,
  WireReader,
  wireString,
  wireUint32,
} from "./ssh-wire.ts";
import type { TrustCrypto } from "./trust-crypto.ts";
import { type RawSignature, signatureDefect } from "./verify-signature.ts";

// Format: PROTOCOL.sshsig of OpenSSH.
const magic = bytesOfText("SSHSIG");
const header = "-----BEGIN SSH SIGNATURE-----";
const footer = "-----END SSH SIGNATURE-----";
/** An ed25519 signature is 300 bytes of armor, one by a big RSA key 3 KiB. */
const maxArmoredChars = 16 * 1024;

export type SshsigHash = "sha256" | "sha512";

export interface Sshsig extends RawSignature {
  /** Public key in wire form. */
  readonly blob: Uint8Array;
  readonly namespace: string;
  readonly hash: SshsigHash;
}

/** Parses armor and blob. Stricter than OpenSSH: nothing may stand before, between or after, not even a blank line. */
export function parseSshsig(armored: string): Parsed<Sshsig> {
  return parsed(() => {
    const reader = new WireReader(unarmored(armored));
    if (!sameBytes(reader.raw(6), magic)) throw new WireDefect("it is no SSHSIG");
    const version = reader.uint32();
    if (version !== 1) throw new WireDefect(`SSHSIG version ${version} is unknown`);
    const blob = reader.string();
    const namespace = reader.name();
    // OpenSSH signs it as empty and ignores it when it verifies: bytes could hide here.
    if (reader.string().length !== 0) throw new WireDefect("its reserved field is not empty");
    const hash = reader.name();
    if (hash !== "sha256" && hash !== "sha512") throw new WireDefect(`hash ${hash} is unknown`);
    const signature = new WireReader(reader.string());
    reader.end();
    const algorithm = signature.name();
    const raw = signature.string();
    const touch = algorithm.startsWith("sk-") ? { flags: signature.byte(), counter: signature.raw(4) } : null;
    signature.end();
    return { blob, namespace, hash, algorithm, raw, touch };
  });
}

/** The bytes that the key signs; `digest` is the hash of the message. */
export function signedData(namespace: string, hash: SshsigHash, digest: Uint8Array): Uint8Array {
  return joinBytes(magic, wireString(namespace), wireString(""), wireString(hash), wireString(digest));
}

type ArmoredSshsig = Omit<Sshsig, "touch"> & Partial<Pick<Sshsig, "touch">>;

/** Armored SSHSIG as ssh-keygen writes it, newline at the end. */
export function armorSshsig({ blob, namespace, hash, algorithm, raw, touch = null }: ArmoredSshsig): string {
  const tail = touch === null ? [] : [Uint8Array.of(touch.flags), touch.counter];
  const signature = joinBytes(wireString(algorithm), wireString(raw), ...tail);
  const body = [blob, bytesOfText(namespace), new Uint8Array(0), bytesOfText(hash), signature].map(wireString);
  const lines = base64Of(joinBytes(magic, wireUint32(1), ...body)).match(/.{1,70}/g) ?? [];
  return `${[header, ...lines, footer].join("\n")}\n`;
}

export type SshsigVerdict =
  | { readonly ok: true; readonly blob: Uint8Array; readonly fingerprint: string }
  | { readonly ok: false; readonly code: "TRUST_BAD_SIGNATURE" | "TRUST_KEY_TYPE"; readonly reason: string };

/**
 * Is this a signature of `message` for `namespace`? Says nothing about *whose*: the caller looks the key up. Verified
 * are ed25519, ecdsa, rsa of 2048 bits and more with SHA-2, and security keys that were touched; every other type and
 * every certificate is `TRUST_KEY_TYPE`, by name.
 */
export function verifySshsig(
  crypto: TrustCrypto,
  { armored, message, namespace }: { armored: string; message: Uint8Array; namespace: string },
): SshsigVerdict {
  const parsedSig = parseSshsig(armored);
  if (!parsedSig.ok) return bad(`the signature does not parse: ${parsedSig.reason}`);
  const { blob, hash, namespace: signedFor } = parsedSig.value;
  const type = keyTypeOf(blob);
  if (isCertificateType(type)) return wrongType(`it is made with a certificate (${type})`);
  if (!isVerifiedType(type)) return wrongType(`it is made with a key of type ${type}`);
  if (signedFor !== namespace) return bad(`it is for the namespace ${signedFor}, not ${namespace}`);
  const key = keyPartsOf(blob);
  if (!key.ok) return bad(key.reason);
  const digest = hash === "sha512" ? crypto.sha512(message) : crypto.sha256(message);
  const signed = { signature: parsedSig.value, message: signedData(namespace, hash, digest) };
  const defect = signatureDefect(crypto, key.value, signed);
  return defect === null ? { ok: true, blob, fingerprint: fingerprintOf(blob, crypto.sha256) } : bad(defect);
}

const bad = (reason: string): SshsigVerdict => ({ ok: false, code: "TRUST_BAD_SIGNATURE", reason });
const wrongType = (reason: string): SshsigVerdict => ({ ok: false, code: "TRUST_KEY_TYPE", reason });

function unarmored(armored: string): Uint8Array {
  if (armored.length > maxArmoredChars) throw new WireDefect("its armor is too long");
  const lines = armored.replace(/\n$/, "").split("\n");
  if (lines.shift() !== header || lines.pop() !== footer) throw new WireDefect("its armor is cut or not of an SSHSIG");
  const bytes = bytesOfBase64(lines.join(""));
  if (bytes === null) throw new WireDefect("its armor is not base64");
  return bytes;
}
