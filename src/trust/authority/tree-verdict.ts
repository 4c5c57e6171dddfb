import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import { ed25519Type } from "../signature/public-key.ts";
import { sameBytes } from "../signature/ssh-wire.ts";
import type { AllowedSigner } from "../signers/allowed-signers.ts";
import { matchesPatternList } from "../signers/pattern-list.ts";
import { type Refusal, refused } from "../walk/commit-verdict.ts";
import type { TrustGrounds } from "./trust-grounds.ts";

/** May what this commit leaves behind be the ground for the next one? Null = yes. */
export function judgeGrounds(commit: TrustCommit, grounds: TrustGrounds): Refusal | null {
  const name = `commit ${shortOid(commit.oid)}`;
  const [finding] = grounds.allowed.findings;
  if (finding !== undefined) {
    return refused("TRUST_SIGNERS_FILE", `${name}: keys/spec_signers:${finding.line}: ${finding.message}`);
  }
  const recorder = grounds.allowed.signers.find(({ blob }) => grounds.recorderKeys.some((key) => sameBytes(key, blob)));
  if (recorder !== undefined) {
    return refused("TRUST_RECORDER_KEY", `${name}: keys/spec_signers:${recorder.line} is the key of a site's recorder`);
  }
  // Under `warn` and `none` a commit without a key can still put one in.
  if (grounds.policy.commits !== "require") return null;
  if (grounds.allowed.signers.some((signer) => canSignAfter(signer, commit.committer.seconds))) return null;
  return refused("TRUST_LOCKOUT", `after ${name} no key of keys/spec_signers could sign the next commit`);
}

function canSignAfter(signer: AllowedSigner, seconds: number): boolean {
  if (signer.type !== ed25519Type) return false;
  if (signer.namespaces !== null && !matchesPatternList("git", signer.namespaces)) return false;
  return signer.validBefore === null || signer.validBefore >= seconds;
}
