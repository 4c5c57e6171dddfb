import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { sha256 } from "../base/node-digest.ts";
import type { EcdsaCurve, TrustCrypto } from "../trust/index.ts";

/** DER of a SubjectPublicKeyInfo up to the 32 bytes of an ed25519 key (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

const curves: Readonly<Record<EcdsaCurve, { readonly crv: string; readonly hash: string }>> = {
  nistp256: { crv: "P-256", hash: "sha256" },
  nistp384: { crv: "P-384", hash: "sha384" },
  nistp521: { crv: "P-521", hash: "sha512" },
};

/** What trust/ needs, by Node's OpenSSL. */
export const nodeTrustCrypto: TrustCrypto = {
  sha256,
  sha512: (bytes) => createHash("sha512").update(bytes).digest(),
  verifyEd25519: (publicKey32, message, signature64) =>
    publicKey32.length === 32 &&
    signature64.length === 64 &&
    orFalse(() => {
      const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey32]), format: "der", type: "spki" });
      return verify(null, message, key, signature64);
    }),
  verifyEcdsa: (curve, point, message, signature) =>
    orFalse(() => {
      const { crv, hash } = curves[curve];
      const half = (point.length - 1) / 2;
      const [x, y] = [point.subarray(1, 1 + half), point.subarray(1 + half)].map(base64url);
      const key = keyOf({ kty: "EC", crv, ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) });
      return verify(hash, message, { key, dsaEncoding: "ieee-p1363" }, signature);
    }),
  verifyRsa: ({ modulus, exponent }, hash, message, signature) =>
    orFalse(() =>
      verify(hash, message, keyOf({ kty: "RSA", n: base64url(modulus), e: base64url(exponent) }), signature),
    ),
};

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const keyOf = (jwk: JsonWebKey): KeyObject => createPublicKey({ key: jwk, format: "jwk" });

/** OpenSSL throws for byte strings that are no key: no point of the curve, an even modulus. */
function orFalse(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
