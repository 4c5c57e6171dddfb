export {
  type AllowedSigner,
  type AllowedSigners,
  findSigner,
  parseAllowedSigners,
  type SignerQuery,
  type SignersFinding,
} from "./allowed-signers.ts";
export { bytesOfBase64 } from "./base64.ts";
export {
  ed25519Blob,
  ed25519KeyOf,
  ed25519Type,
  fingerprintOf,
  keyTypeOf,
  type PublicKey,
  parsePublicKey,
  publicKeyLine,
} from "./public-key.ts";
export { type Parsed, parsed, sameBytes, WireDefect, WireReader, wireString, wireUint32 } from "./ssh-wire.ts";
export {
  armorSshsig,
  parseSshsig,
  type Sshsig,
  type SshsigHash,
  type SshsigVerdict,
  signedData,
  verifySshsig,
} from "./sshsig.ts";
export type { TrustCommit, TrustIdent } from "./trust-commit.ts";
export type { TrustCrypto } from "./trust-crypto.ts";
export type { TreeReader, TrustPolicy } from "./trust-grounds.ts";
export { type TrustWalk, type TrustWalkOptions, trustSteps, type VerifiedCommit, walkTrust } from "./trust-walk.ts";
