import type { Sha256 } from "../../base/index.ts";
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { ed25519Type, isVerifiedType, keyPartsOf } from "./key-kinds.ts";
import { joinBytes, type Parsed, parsed, WireDefect, WireReader, wireString } from "./ssh-wire.ts";

/** OpenSSH still writes it; nothing here verifies it. */
const dsaType = "ssh-dss";

export interface PublicKey {
  readonly type: string;
  /** The wire form (RFC 4253 section 6.6), which names the key. */
  readonly blob: Uint8Array;
  readonly comment: string;
}

export const isKeyType = (word: string): boolean => isVerifiedType(word) || word === dsaType || isCertificateType(word);

export const isCertificateType = (type: string): boolean => /-cert-v\d\d@openssh\.com$/.test(type);

/** Parses one line of a `.pub` file: `<type> <base64> [comment]`. Certificates are refused by name. */
export function parsePublicKey(line: string): Parsed<PublicKey> {
  return parsed(() => {
    const match = /^(\S+)[ \t]+(\S+)(?:[ \t]+(.*))?$/.exec(line.trimEnd());
    if (match === null) throw new WireDefect("not a public key: expected `<type> <base64> [comment]`");
    const [, type = "", base64 = "", comment = ""] = match;
    if (isCertificateType(type)) throw new WireDefect(`${type}: certificates are not accepted, use the plain key`);
    if (!isKeyType(type)) throw new WireDefect(`${type.slice(0, 64)}: unknown key type`);
    const blob = bytesOfBase64(base64);
    if (blob === null) throw new WireDefect("the key is not base64");
    if (new WireReader(blob).name() !== type) throw new WireDefect(`the key is not of the type ${type} that it names`);
    const parts = isVerifiedType(type) ? keyPartsOf(blob) : null;
    if (parts?.ok === false) throw new WireDefect(parts.reason);
    return { type, blob, comment };
  });
}

/** `<type> <base64>`, without comment or newline. */
export function publicKeyLine(blob: Uint8Array): string {
  return `${keyTypeOf(blob)} ${base64Of(blob)}`;
}

/** As `ssh-keygen -l` and Git print it: `SHA256:<base64 without padding>`. */
export function fingerprintOf(blob: Uint8Array, sha256: Sha256): string {
  return `SHA256:${base64Of(sha256(blob)).replace(/=+$/, "")}`;
}

/** The wire form of a raw 32-byte ed25519 key. */
export function ed25519Blob(publicKey32: Uint8Array): Uint8Array {
  return joinBytes(wireString(ed25519Type), wireString(publicKey32));
}

/** The type a blob names, or `unknown`. */
export function keyTypeOf(blob: Uint8Array): string {
  const type = parsed(() => new WireReader(blob).name());
  return type.ok ? type.value : "unknown";
}

/** The 32 bytes in an ed25519 blob; throws WireDefect for anything else. */
export function ed25519KeyOf(blob: Uint8Array): Uint8Array {
  const reader = new WireReader(blob);
  if (reader.name() !== ed25519Type) throw new WireDefect("not an ed25519 key");
  const key = reader.string();
  reader.end();
  if (key.length !== 32) throw new WireDefect("an ed25519 key has 32 bytes");
  return key;
}
