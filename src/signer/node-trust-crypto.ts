import { createHash, createPublicKey, verify } from "node:crypto";
import { sha256 } from "../base/node-digest.ts";
import type { TrustCrypto } from "../trust/index.ts";

/** DER of a SubjectPublicKeyInfo up to the 32 bytes of an ed25519 key (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** What trust/ needs, by Node's OpenSSL. */
export const nodeTrustCrypto: TrustCrypto = {
  sha256,
  sha512: (bytes) => createHash("sha512").update(bytes).digest(),
  verifyEd25519(publicKey32, message, signature64) {
    if (publicKey32.length !== 32 || signature64.length !== 64) return false;
    try {
      const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey32]), format: "der", type: "spki" });
      return verify(null, message, key, signature64);
    } catch {
      // OpenSSL throws for some byte strings that are no point of the curve.
      return false;
    }
  },
};
