import type { Steps } from "../../base/index.ts";
import { approvalNamespace } from "../authority/tree-verdict.ts";
import { isForge, type TrustGrounds } from "../authority/trust-grounds.ts";
import { fingerprintOf } from "../signature/public-key.ts";
import { parseSshsig, type SshsigVerdict, verifySshsig } from "../signature/sshsig.ts";
import type { TrustCrypto } from "../signature/trust-crypto.ts";
import { type AllowedSigner, findSigner } from "../signers/allowed-signers.ts";
import { type Approval, readApproval, type StoredApproval } from "./approval-text.ts";

/** Who signed an approval, by the keys of some tree. */
export interface Approver {
  readonly signer: AllowedSigner;
  readonly fingerprint: string;
}

/** The approvals of a repository, read when the first commit needs one. */
export class ApprovalBook {
  readonly #read: () => Steps<readonly StoredApproval[]>;
  readonly #crypto: TrustCrypto;
  readonly #signatures = new Map<Approval, SshsigVerdict>();
  #approvals: readonly Approval[] | null = null;

  constructor(read: () => Steps<readonly StoredApproval[]>, crypto: TrustCrypto) {
    this.#read = read;
    this.#crypto = crypto;
  }

  /** All that are well-formed, by the refs' order; nobody vouches for one yet. */
  *approvals(): Steps<readonly Approval[]> {
    if (this.#approvals !== null) return this.#approvals;
    const sound: Approval[] = [];
    for (const stored of yield* this.#read()) {
      const approval = readApproval(stored, this.#crypto);
      if (approval.ok) sound.push(approval.value);
      yield;
    }
    this.#approvals = sound;
    return sound;
  }

  /** Whose it is; a text says why it is nobody's. `atSeconds`: when what it approves was committed. */
  approverOf(approval: Approval, { allowed, policy }: TrustGrounds, atSeconds: number): Approver | string {
    const sshsig = parseSshsig(approval.armored);
    if (!sshsig.ok) return `its signature does not parse: ${sshsig.reason}`;
    const { blob } = sshsig.value;
    // Before the signature is checked: strangers can push any number of them.
    const signer = findSigner(allowed.signers, { blob, namespace: approvalNamespace, atSeconds });
    if (signer === null) {
      const fingerprint = fingerprintOf(blob, this.#crypto.sha256);
      return `keys/spec_signers does not let ${fingerprint} sign ${approvalNamespace}`;
    }
    if (isForge(signer, policy)) return "a forge's key approves nothing";
    const verified = this.#verify(approval);
    return verified.ok ? { signer, fingerprint: verified.fingerprint } : verified.reason;
  }

  #verify(approval: Approval): SshsigVerdict {
    const known = this.#signatures.get(approval);
    if (known !== undefined) return known;
    const { armored, signed: message } = approval;
    const verified = verifySshsig(this.#crypto, { armored, message, namespace: approvalNamespace });
    this.#signatures.set(approval, verified);
    return verified;
  }
}
