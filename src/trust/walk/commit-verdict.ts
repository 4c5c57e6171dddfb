import type { CodeName } from "../../base/index.ts";
import type { TrustGrounds } from "../authority/trust-grounds.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import { sameBytes } from "../signature/ssh-wire.ts";
import { parseSshsig, verifySshsig } from "../signature/sshsig.ts";
import type { TrustCrypto } from "../signature/trust-crypto.ts";
import { findSigner } from "../signers/allowed-signers.ts";

export type CommitVerdict = { readonly kind: "trusted"; readonly signer: CommitSigner } | Refusal;

/** Principal and fingerprint are null where the policy let an unsigned or unknown commit pass. */
export interface CommitSigner {
  readonly principal: string | null;
  readonly fingerprint: string | null;
  /** What `commits: warn` let pass. */
  readonly warnings: readonly string[];
}

export interface Refusal {
  readonly kind: "refused";
  readonly code: CodeName;
  readonly message: string;
}

export const refused = (code: CodeName, message: string): Refusal => ({ kind: "refused", code, message });

const gitNamespace = "git";

/** May this commit stand on these grounds? Looks at its signature alone, not at its time or what is in it. */
export function judgeSignature(commit: TrustCommit, grounds: TrustGrounds, crypto: TrustCrypto): CommitVerdict {
  if (signedByRecorder(commit, grounds)) {
    const message = `commit ${shortOid(commit.oid)} is signed with a recorder's key, which signs audit commits only`;
    return refused("TRUST_RECORDER_KEY", message);
  }
  const verdict = signerOf(commit, grounds, crypto);
  if (verdict.kind === "trusted" || grounds.policy.commits === "require") return verdict;
  const warnings = grounds.policy.commits === "warn" ? [`${verdict.code}: ${verdict.message}`] : [];
  return { kind: "trusted", signer: { principal: null, fingerprint: null, warnings } };
}

function signedByRecorder({ signature }: TrustCommit, { recorderKeys }: TrustGrounds): boolean {
  if (signature === null || recorderKeys.length === 0) return false;
  const sshsig = parseSshsig(signature);
  return sshsig.ok && recorderKeys.some((blob) => sameBytes(blob, sshsig.value.blob));
}

function signerOf(commit: TrustCommit, grounds: TrustGrounds, crypto: TrustCrypto): CommitVerdict {
  const name = `commit ${shortOid(commit.oid)}`;
  if (commit.defect !== null) return refused("TRUST_BAD_SIGNATURE", `${name} is not well-formed: ${commit.defect}`);
  if (commit.signature === null) return refused("TRUST_UNSIGNED", `${name} is not signed`);
  const signature = { armored: commit.signature, message: commit.payload, namespace: gitNamespace };
  const verified = verifySshsig(crypto, signature);
  if (!verified.ok) return refused(verified.code, `${name}: ${verified.reason}`);
  const { blob, fingerprint } = verified;
  const query = { blob, namespace: gitNamespace, atSeconds: commit.committer.seconds };
  const signer = findSigner(grounds.allowed.signers, query);
  if (signer !== null) {
    return { kind: "trusted", signer: { principal: signer.principal, fingerprint, warnings: [] } };
  }
  return refused("TRUST_UNKNOWN_KEY", `${name} is signed with ${fingerprint}, ${whyUnknown(blob, grounds)}`);
}

function whyUnknown(blob: Uint8Array, { allowed }: TrustGrounds): string {
  const line = allowed.signers.find((signer) => sameBytes(signer.blob, blob));
  if (line === undefined) return "which keys/spec_signers before it does not name";
  return `which line ${line.line} of keys/spec_signers does not allow for git at the commit's time`;
}
