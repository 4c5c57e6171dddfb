export { ApprovalBook, type Approver } from "./approval/approval-book.ts";
export type { CountedApproval } from "./approval/approval-count.ts";
export {
  type Approval,
  type ApprovalStatement,
  approvalBlob,
  approvalRefOf,
  approvalRefPrefix,
  maxApprovalBytes,
  maxApprovals,
  maxReasonChars,
  readApproval,
  type StoredApproval,
  statementBytes,
} from "./approval/approval-text.ts";
export { planHash } from "./approval/plan-hash.ts";
export { type GroundsDiff, groundsDiff } from "./authority/grounds-diff.ts";
export { type GroundsFinding, groundsFindings } from "./authority/grounds-findings.ts";
export { approvalNamespace } from "./authority/tree-verdict.ts";
export {
  everyone,
  type GroundsReader,
  isForge,
  isOf,
  type PolicyRead,
  readGrounds,
  type TrustGrounds,
  type TrustPolicy,
} from "./authority/trust-grounds.ts";
export { firstParents } from "./history/first-parents.ts";
export type { ReadTree, TrustTreeEntry } from "./history/tree-reader.ts";
export type { TrustCommit, TrustIdent } from "./history/trust-commit.ts";
export { bytesOfBase64 } from "./signature/base64.ts";
export { ed25519Type } from "./signature/key-kinds.ts";
export {
  ed25519Blob,
  ed25519KeyOf,
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
export type { EcdsaCurve, RsaPublicKey, TrustCrypto } from "./signature/trust-crypto.ts";
export {
  type AllowedSigner,
  type AllowedSigners,
  findSigner,
  parseAllowedSigners,
  type SignerQuery,
  type SignersFinding,
} from "./signers/allowed-signers.ts";
export {
  type ChangeDemands,
  changeDemands,
  type DemandsRequest,
  type RuleDemand,
  type Signature,
} from "./walk/change-demands.ts";
export type { TreeReader, TrustWalkOptions } from "./walk/trust-options.ts";
export { type TrustWalk, trustSteps, type VerifiedCommit, walkTrust } from "./walk/trust-walk.ts";
