import { type Refusal, refused } from "../authority/refusal.ts";
import { gitNamespace } from "../authority/tree-verdict.ts";
import type { TrustGrounds } from "../authority/trust-grounds.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import { sameBytes } from "../signature/ssh-wire.ts";
import { parseSshsig, verifySshsig } from "../signature/sshsig.ts";
import type { TrustCrypto } from "../signature/trust-crypto.ts";
import { type AllowedSigner, findSigner } from "../signers/allowed-signers.ts";
import { unsignedMessage } from "./unsigned-commit.ts";

/** Whose commit it is; `line` null where the policy let an unsigned or unknown one pass. */
export interface SignedBy {
  readonly kind: "signed";
  readonly line: AllowedSigner | null;
  readonly fingerprint: string | null;
  /** What `commits: warn` let pass. */
  readonly warnings: readonly string[];
}

/**
 * May this commit stand on these grounds? Looks at its signature alone, not at its time or what is in it. `notBefore`:
 * a key that had expired by then signs nothing that comes after, whatever date it writes.
 */
export function judgeSignature(
  commit: TrustCommit,
  { grounds, notBefore }: { readonly grounds: TrustGrounds; readonly notBefore: number },
  crypto: TrustCrypto,
): SignedBy | Refusal {
  if (signedByRecorder(commit, grounds)) {
    const message = `commit ${shortOid(commit.oid)} is signed with a recorder's key, which signs audit commits only`;
    return refused("TRUST_RECORDER_KEY", message);
  }
  const verdict = signerOf(commit, { grounds, notBefore }, crypto);
  return verdict.kind === "signed" ? verdict : letPass(verdict, grounds);
}

/** What `commits: warn` and `none` make of a refusal. */
export function letPass(refusal: Refusal, { policy }: TrustGrounds): SignedBy | Refusal {
  if (policy.commits === "require") return refusal;
  const warnings = policy.commits === "warn" ? [`${refusal.code}: ${refusal.message}`] : [];
  return { kind: "signed", line: null, fingerprint: null, warnings };
}

function signedByRecorder({ signature }: TrustCommit, { recorderKeys }: TrustGrounds): boolean {
  if (signature === null || recorderKeys.length === 0) return false;
  const sshsig = parseSshsig(signature);
  return sshsig.ok && recorderKeys.some((blob) => sameBytes(blob, sshsig.value.blob));
}

function signerOf(
  commit: TrustCommit,
  { grounds, notBefore }: { readonly grounds: TrustGrounds; readonly notBefore: number },
  crypto: TrustCrypto,
): SignedBy | Refusal {
  const name = `commit ${shortOid(commit.oid)}`;
  const forges = unsignedMessage(commit);
  if (commit.defect !== null) {
    return refused("TRUST_BAD_SIGNATURE", `${name} is not well-formed: ${commit.defect}${forges}`);
  }
  if (commit.signature === null) return refused("TRUST_UNSIGNED", `${name} is not signed${forges}`);
  const signature = { armored: commit.signature, message: commit.payload, namespace: gitNamespace };
  const verified = verifySshsig(crypto, signature);
  if (!verified.ok) return refused(verified.code, `${name}: ${verified.reason}`);
  const { blob, fingerprint } = verified;
  const atSeconds = Math.max(commit.committer.seconds, notBefore);
  const line = findSigner(grounds.allowed.signers, { blob, namespace: gitNamespace, atSeconds });
  if (line !== null) return { kind: "signed", line, fingerprint, warnings: [] };
  return refused("TRUST_UNKNOWN_KEY", `${name} is signed with ${fingerprint}, ${whyUnknown(blob, grounds)}`);
}

function whyUnknown(blob: Uint8Array, { allowed }: TrustGrounds): string {
  const line = allowed.signers.find((signer) => sameBytes(signer.blob, blob));
  if (line === undefined) return "which keys/spec_signers before it does not name";
  return `which line ${line.line} of keys/spec_signers does not allow for git at the commit's time`;
}
