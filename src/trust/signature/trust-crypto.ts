import type { Sha256 } from "../../base/index.ts";

/** What this room cannot do itself, since it runs in a browser too. */
export interface TrustCrypto {
  readonly sha256: Sha256;
  /** Returns 64 bytes. */
  sha512(bytes: Uint8Array): Uint8Array;
  /** RFC 8032, pure Ed25519. False for whatever does not verify; never throws. */
  verifyEd25519(publicKey32: Uint8Array, message: Uint8Array, signature64: Uint8Array): boolean;
}
