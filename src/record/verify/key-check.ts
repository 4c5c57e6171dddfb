import { Fault } from "../../base/index.ts";
import {
  type AllowedSigner,
  findSigner,
  parseAllowedSigners,
  publicKeyLine,
  type TrustCommit,
  type TrustCrypto,
  verifySshsig,
} from "../../trust/index.ts";
import { type AuditKey, auditIdentName } from "../audit-keys.ts";
import { checkpointNamespace } from "../checkpoint.ts";
import type { AuditCode } from "./audit-report.ts";

export interface SignatureDefect {
  readonly code: Extract<AuditCode, "AUDIT_SIGNATURE" | "AUDIT_SIGNER" | "AUDIT_CHECKPOINT">;
  readonly why: string;
}

export interface KeyRules {
  readonly crypto: TrustCrypto;
  readonly signers: readonly AllowedSigner[];
  /** `audit@<site>`; null while the site is not known. */
  readonly principal: string | null;
}

/** The audit signers of a file that the verifier's owner trusts. Faults TRUST_SIGNERS_FILE where a line is bad. */
export function auditSigners(text: string): readonly AllowedSigner[] {
  const { signers, findings } = parseAllowedSigners(text);
  const [finding] = findings;
  if (finding !== undefined) {
    throw new Fault("TRUST_SIGNERS_FILE", `audit signers, line ${String(finding.line)}: ${finding.message}`);
  }
  if (signers.length === 0) throw new Fault("TRUST_SIGNERS_FILE", "the audit signers file names no key");
  return signers;
}

interface Signed {
  readonly signature: string | null;
  readonly message: Uint8Array;
  readonly namespace: string;
  readonly atSeconds: number;
  /** What the branch's own key log says about this batch, null where it says nothing. */
  readonly logged: AuditKey | null;
}

/** Why this is no commit of the recorder, or null. */
export function commitDefect(commit: TrustCommit, logged: AuditKey | null, rules: KeyRules): SignatureDefect | null {
  if (commit.defect !== null) return { code: "AUDIT_SIGNATURE", why: commit.defect };
  const { signature, payload: message, committer } = commit;
  const why = signedDefect({ signature, message, namespace: "git", atSeconds: committer.seconds, logged }, rules);
  if (why !== null) return why;
  const { principal } = rules;
  for (const { name, email } of [commit.author, committer]) {
    if (name !== auditIdentName || (principal !== null && email !== principal)) {
      return { code: "AUDIT_SIGNER", why: `author or committer is ${name} <${email}>, not the recorder` };
    }
  }
  return null;
}

/** Why checkpoint.sig is not the recorder's, or null. */
export function checkpointDefect(
  { signature, message, atSeconds, logged }: Omit<Signed, "namespace">,
  rules: KeyRules,
): SignatureDefect | null {
  return signedDefect({ signature, message, namespace: checkpointNamespace, atSeconds, logged }, rules);
}

function signedDefect(signed: Signed, { crypto, signers, principal }: KeyRules): SignatureDefect | null {
  const { signature, message, namespace, atSeconds, logged } = signed;
  if (signature === null) return { code: "AUDIT_SIGNATURE", why: "it is not signed" };
  const verdict = verifySshsig(crypto, { armored: signature, message, namespace });
  if (!verdict.ok) return { code: "AUDIT_SIGNATURE", why: verdict.reason };
  const { blob, fingerprint } = verdict;
  const signer = findSigner(signers, { blob, namespace, atSeconds });
  if (signer === null) return { code: "AUDIT_SIGNER", why: `${fingerprint} is no audit signer` };
  if (principal !== null && signer.principal !== principal) {
    return { code: "AUDIT_SIGNER", why: `it is signed by ${signer.principal} (${fingerprint}), not ${principal}` };
  }
  if (logged !== null && logged.key !== publicKeyLine(blob)) {
    return {
      code: "AUDIT_SIGNER",
      why: `it is signed with ${fingerprint}, which keys/log.ndjson does not name for this batch`,
    };
  }
  return null;
}

/** The key that signs batch n by this log. */
export function loggedKey(log: readonly AuditKey[], batch: number): AuditKey | null {
  return log.findLast(({ from }) => from <= batch) ?? null;
}
