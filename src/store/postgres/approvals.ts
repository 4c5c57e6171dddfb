import type { UtcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { RecordApproval } from "../../record/index.ts";
import type { CommitApprovals } from "../revision-store.ts";
import { hashBytes, hexOfBytes } from "./column-codec.ts";

interface ApprovalRow extends Row {
  readonly commit_id: string;
  readonly sha256: Buffer;
  readonly head: string;
  readonly plan_hash: Buffer;
  readonly approver: string;
  readonly key: string;
}

/** What is kept stays as it is. */
export async function insertApprovals(
  session: Session,
  tenant: string,
  { approved, now }: { readonly approved: readonly CommitApprovals[]; readonly now: UtcText },
): Promise<void> {
  const rows = approved.flatMap(({ commit, approvals }) => approvals.map((approval) => ({ commit, ...approval })));
  if (rows.length === 0) return;
  await session.query({
    text: `insert into approval (tenant_id, commit_id, sha256, head, plan_hash, approver, key, at)
      select $1, a.commit_id, a.sha256, a.head, a.plan_hash, a.approver, a.key, $8
      from unnest($2::text[], $3::bytea[], $4::text[], $5::bytea[], $6::text[], $7::text[])
        as a (commit_id, sha256, head, plan_hash, approver, key)
      on conflict do nothing`,
    values: [
      tenant,
      rows.map(({ commit }) => commit),
      rows.map(({ sha256 }) => hashBytes(sha256)),
      rows.map(({ head }) => head),
      rows.map(({ planHash }) => hashBytes(planHash)),
      rows.map(({ approver }) => approver),
      rows.map(({ key }) => key),
      now,
    ],
  });
}

/** Which approvals let each of these commits in. */
export async function approvalsByCommit(
  session: Session,
  tenant: string,
  commits: readonly string[],
): Promise<ReadonlyMap<string, readonly RecordApproval[]>> {
  const rows = await session.query<ApprovalRow>({
    name: "read_approvals",
    text: `select commit_id, sha256, head, plan_hash, approver, key from approval
      where tenant_id = $1 and commit_id = any ($2::text[])`,
    values: [tenant, [...new Set(commits)]],
  });
  const found = new Map<string, RecordApproval[]>();
  for (const row of rows) found.set(row.commit_id, [...(found.get(row.commit_id) ?? []), approvalOf(row)]);
  return found;
}

/** Those of any of these commits, by sha256. */
export async function readApprovals(
  session: Session,
  tenant: string,
  commits: readonly string[],
): Promise<readonly RecordApproval[]> {
  return eachOnce([...(await approvalsByCommit(session, tenant, commits)).values()].flat());
}

/** By sha256. */
export const eachOnce = (approvals: readonly RecordApproval[]): readonly RecordApproval[] =>
  [...new Map(approvals.map((approval) => [approval.sha256, approval])).values()].sort((a, b) =>
    a.sha256 < b.sha256 ? -1 : 1,
  );

const approvalOf = (row: ApprovalRow): RecordApproval => ({
  head: row.head,
  planHash: hexOfBytes(row.plan_hash),
  approver: row.approver,
  key: row.key,
  sha256: hexOfBytes(row.sha256),
});
