import { drained } from "../../base/index.ts";
import type { GitRepository, Oid } from "../../git/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import { ApprovalBook, readApproval } from "../../trust/index.ts";
import type { RepositoryTrust } from "./repository-trust.ts";
import { planHashBetween } from "./write-approval.ts";

/** One approval ref, and what can be said of it. */
export interface ApprovalRow {
  readonly head: string;
  readonly sha256: string;
  readonly verdict: "approve" | "reject" | null;
  readonly approver: string | null;
  readonly key: string | null;
  readonly base: string | null;
  readonly planHash: string | null;
  readonly reason: string | null;
  /** Why it counts for nothing, or null. That it is enough, only the branch's walk can say. */
  readonly defect: string | null;
}

/** Every approval, judged by the keys that stand now; of one commit only where `of` names it. */
export function approvalRows(
  repository: GitRepository,
  trust: RepositoryTrust,
  of: Oid | null,
): readonly ApprovalRow[] {
  const stored = drained(trust.reader.approvals());
  const own = of === null ? stored : stored.filter(({ head }) => head === of);
  const book = new ApprovalBook(() => trust.reader.approvals(), nodeTrustCrypto);
  return own.map((each) => {
    const { head, sha256 } = each;
    const nothing = { verdict: null, approver: null, key: null, base: null, planHash: null, reason: null };
    const read = readApproval(each, nodeTrustCrypto);
    if (!read.ok) return { head, sha256, ...nothing, defect: read.reason };
    const { verdict, base, planHash, reason } = read.value;
    const said = { head, sha256, verdict, base, planHash, reason };
    const approver = book.approverOf(read.value, trust.grounds, repository.readCommit(trust.at).committer.seconds);
    if (typeof approver === "string") return { ...said, approver: null, key: null, defect: approver };
    const { signer, fingerprint } = approver;
    return { ...said, approver: signer.principal, key: fingerprint, defect: planDefect(repository, trust, said) };
  });
}

function planDefect(
  repository: GitRepository,
  { reader }: RepositoryTrust,
  { base, head, planHash }: { readonly base: string; readonly head: string; readonly planHash: string },
): string | null {
  const [from, to] = [base as Oid, head as Oid];
  // A squash leaves the branch behind: its commits need not be here.
  if (!repository.hasObject(from) || !repository.hasObject(to)) return null;
  return planHashBetween(repository, reader, from, to) === planHash
    ? null
    : "its plan is not what lies between base and head";
}
