import { curveBytes, type KeyParts } from "./key-kinds.ts";
import { joinBytes, parsed, WireDefect, WireReader } from "./ssh-wire.ts";
import type { EcdsaCurve, TrustCrypto } from "./trust-crypto.ts";

/** What stands in the signature field of an SSHSIG. */
export interface RawSignature {
  readonly algorithm: string;
  readonly raw: Uint8Array;
  /** Only a security key has them. */
  readonly touch: Touch | null;
}

export interface Touch {
  readonly flags: number;
  readonly counter: Uint8Array;
}

/** Flag of PROTOCOL.u2f: somebody touched the key. */
const userPresent = 1;

/** Why this is no signature of `message` by that key, or null. Key and algorithm must fit; SHA-1 is never accepted. */
export function signatureDefect(
  crypto: TrustCrypto,
  key: KeyParts,
  { signature, message }: { readonly signature: RawSignature; readonly message: Uint8Array },
): string | null {
  const { algorithm } = signature;
  if (!algorithmsOf(key).includes(algorithm)) return `a key of this type does not sign as ${algorithm}`;
  if (key.kind === "rsa") return rsaDefect(crypto, key.key, signature, message);
  const signed = key.application === null ? message : touchedMessage(crypto, key.application, signature, message);
  if (typeof signed === "string") return signed;
  return key.kind === "ed25519"
    ? ed25519Defect(crypto, key.key, signature.raw, signed)
    : ecdsaDefect(crypto, key, signature.raw, signed);
}

function algorithmsOf(key: KeyParts): readonly string[] {
  switch (key.kind) {
    case "ed25519":
      return [key.application === null ? "ssh-ed25519" : "sk-ssh-ed25519@openssh.com"];
    case "ecdsa":
      return [key.application === null ? `ecdsa-sha2-${key.curve}` : "sk-ecdsa-sha2-nistp256@openssh.com"];
    case "rsa":
      return ["rsa-sha2-256", "rsa-sha2-512"];
  }
}

const wrongBytes = "the signed bytes are not these bytes";

function ed25519Defect(crypto: TrustCrypto, key: Uint8Array, raw: Uint8Array, message: Uint8Array): string | null {
  if (raw.length !== 64) return "it is no ed25519 signature";
  return crypto.verifyEd25519(key, message, raw) ? null : wrongBytes;
}

function ecdsaDefect(
  crypto: TrustCrypto,
  { curve, point }: { readonly curve: EcdsaCurve; readonly point: Uint8Array },
  raw: Uint8Array,
  message: Uint8Array,
): string | null {
  const pair = parsed(() => {
    const reader = new WireReader(raw);
    const numbers = [reader.mpint(), reader.mpint()].map((number) => leftPadded(number, curveBytes[curve]));
    reader.end();
    return joinBytes(...numbers);
  });
  if (!pair.ok) return `it is no ecdsa signature: ${pair.reason}`;
  return crypto.verifyEcdsa(curve, point, message, pair.value) ? null : wrongBytes;
}

function rsaDefect(
  crypto: TrustCrypto,
  key: { readonly modulus: Uint8Array; readonly exponent: Uint8Array },
  { algorithm, raw }: RawSignature,
  message: Uint8Array,
): string | null {
  if (raw.length > key.modulus.length) return "it is longer than its rsa key";
  const signature = leftPadded(raw, key.modulus.length);
  const hash = algorithm === "rsa-sha2-256" ? "sha256" : "sha512";
  return crypto.verifyRsa(key, hash, message, signature) ? null : wrongBytes;
}

/** What a security key signs (PROTOCOL.u2f), or why it does not count. */
function touchedMessage(
  crypto: TrustCrypto,
  application: Uint8Array,
  { touch }: RawSignature,
  message: Uint8Array,
): Uint8Array | string {
  if (touch === null) return "it lacks the flags of a security key";
  // A stolen computer with the key plugged in could sign on its own.
  if ((touch.flags & userPresent) === 0) return "nobody touched the security key";
  return joinBytes(crypto.sha256(application), Uint8Array.of(touch.flags), touch.counter, crypto.sha256(message));
}

function leftPadded(number: Uint8Array, length: number): Uint8Array {
  if (number.length > length) throw new WireDefect("a number in it is too long");
  return joinBytes(new Uint8Array(length - number.length), number);
}
