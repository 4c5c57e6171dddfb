export type { TreeReader, TrustPolicy } from "./authority/trust-grounds.ts";
export type { TrustCommit, TrustIdent } from "./history/trust-commit.ts";
export { bytesOfBase64 } from "./signature/base64.ts";
export {
  ed25519Blob,
  ed25519KeyOf,
  ed25519Type,
  fingerprintOf,
  keyTypeOf,
  type PublicKey,
  parsePublicKey,
  publicKeyLine,
} from "./signature/public-key.ts";
export {
  type Parsed,
  parsed,
  sameBytes,
  WireDefect,
  WireReader,
  wireString,
  wireUint32,
} from "./signature/ssh-wire.ts";
export {
  armorSshsig,
  parseSshsig,
  type Sshsig,
  type SshsigHash,
  type SshsigVerdict,
  signedData,
  verifySshsig,
} from "./signature/sshsig.ts";
export type { TrustCrypto } from "./signature/trust-crypto.ts";
export {
  type AllowedSigner,
  type AllowedSigners,
  findSigner,
  parseAllowedSigners,
  type SignerQuery,
  type SignersFinding,
} from "./signers/allowed-signers.ts";
export {
  type TrustWalk,
  type TrustWalkOptions,
  trustSteps,
  type VerifiedCommit,
  walkTrust,
} from "./walk/trust-walk.ts";
