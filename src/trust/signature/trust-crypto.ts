import type { Sha256 } from "../../base/index.ts";

export type EcdsaCurve = "nistp256" | "nistp384" | "nistp521";

export interface RsaPublicKey {
  /** Unsigned, big-endian, no leading zero byte. */
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

/** What this room cannot do itself, since it runs in a browser too. All `verify…` answer false, and never throw. */
export interface TrustCrypto {
  readonly sha256: Sha256;
  /** Returns 64 bytes. */
  sha512(bytes: Uint8Array): Uint8Array;
  /** RFC 8032, pure Ed25519. */
  verifyEd25519(publicKey32: Uint8Array, message: Uint8Array, signature64: Uint8Array): boolean;
  /**
   * FIPS 186 over SHA-256, SHA-384 or SHA-512, as RFC 5656 pairs them with the curve. `point` is uncompressed (04 x y),
   * `signature` r and s of the curve's length each.
   */
  verifyEcdsa(curve: EcdsaCurve, point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** RSASSA-PKCS1-v1_5 (RFC 8332); the signature has the modulus' length. */
  verifyRsa(key: RsaPublicKey, hash: "sha256" | "sha512", message: Uint8Array, signature: Uint8Array): boolean;
}
