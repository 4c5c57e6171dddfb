import { type UtcText, utcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { RecordApproval } from "../../record/index.ts";
import type { Actor, Trigger } from "../../run/index.ts";
import type { QueuedRun, QueuedRunBody } from "../admission-store.ts";
import type { Rationale } from "../worker-seam.ts";
import { approvalsByCommit, eachOnce } from "./approvals.ts";
import { hashInJson, hexOfBytes, utcOrNull } from "./column-codec.ts";

/** Columns that run_live and run share, as a run is read back. */
export interface RunRow extends Row {
  readonly run_id: string;
  readonly run_no: number;
  readonly dag_id: string;
  readonly spec_hash: Buffer;
  readonly commit_id: string;
  readonly policy_revision: string;
  readonly trigger_kind: Trigger["kind"];
  readonly trigger_key: string;
  readonly schedule: string | null;
  readonly slot: Date | null;
  readonly inputs_hash: Buffer;
  readonly run_token: Buffer;
  readonly actor_kind: Actor["kind"];
  readonly actor_subject: string;
  readonly actor_key: string | null;
  readonly context_now: Date;
  readonly context_seed: Buffer;
  readonly queued_at: Date;
}

interface QueuedRow extends RunRow {
  readonly spec_text: string;
  readonly snapshot: Buffer;
  readonly snapshot_bytes: Buffer;
  readonly rationale: string;
  readonly trace_id: string;
  readonly fence: number;
}

export const triggerOf = (row: RunRow): Trigger => ({
  kind: row.trigger_kind,
  key: row.trigger_key,
  schedule: row.schedule,
  slot: utcOrNull(row.slot),
});

export const actorOf = (row: RunRow): Actor => ({
  kind: row.actor_kind,
  subject: row.actor_subject,
  key: row.actor_key,
});

export const contextOf = (row: RunRow): { readonly now: UtcText; readonly seed: string } => ({
  now: utcText(row.context_now),
  seed: hexOfBytes(row.context_seed),
});

/** Which queued runs of the tenant to end: a condition over `l` (run_live) and `d` (dag). */
export interface QueuedSelection {
  readonly where: string;
  readonly values: readonly unknown[];
}

/** How they end: the record of each, and when. */
export interface QueuedEnd {
  readonly tenant: string;
  readonly bodyOf: QueuedRunBody;
  readonly now: UtcText;
}

/**
 * Ends queued runs as cancelled in this transaction, which acts as the tenant and holds its lock; the caller promotes
 * afterwards. Answers how many.
 */
export async function endQueuedRuns(session: Session, selection: QueuedSelection, end: QueuedEnd): Promise<number> {
  const rows = await session.query<QueuedRow>({
    text: `select l.*, v.spec_text, v.commit_id, b.bytes as snapshot_bytes from run_live l
      join dag d on d.tenant_id = l.tenant_id and d.dag_id = l.dag_id
      join dag_version v on v.tenant_id = l.tenant_id and v.dag_id = l.dag_id and v.spec_hash = l.spec_hash
      join blob b on b.tenant_id = l.tenant_id and b.sha256 = l.snapshot
      where l.state = 'queued' and ${selection.where} order by l.run_id for no key update of l`,
    values: selection.values,
  });
  if (rows.length === 0) return 0;
  const commits = rows.flatMap(({ commit_id, policy_revision }) => [commit_id, policy_revision]);
  const approvals = await approvalsByCommit(session, end.tenant, commits);
  const items = rows.map((row, n) => endItem({ row, n, approvals }, end));
  const ended = await session.query({
    text: "select n from end_runs($1::json, null) n",
    values: [JSON.stringify(items)],
  });
  return ended.length;
}

interface EndedRow {
  readonly row: QueuedRow;
  readonly n: number;
  readonly approvals: ReadonlyMap<string, readonly RecordApproval[]>;
}

function endItem({ row, n, approvals }: EndedRow, { tenant, bodyOf, now }: QueuedEnd): Record<string, unknown> {
  const own = [row.commit_id, row.policy_revision].flatMap((commit) => approvals.get(commit) ?? []);
  const { recordId, bodyText, outputsHash } = bodyOf({ ...queuedRunOf(tenant, row), approvals: eachOnce(own) });
  return {
    n,
    tenant,
    run: row.run_id,
    fence: row.fence,
    status: "cancelled",
    class: "cancelled",
    code: "RUN_CANCELLED",
    ended: now,
    outputs_hash: hashInJson(outputsHash),
    record: recordId,
    body: bodyText,
  };
}

function queuedRunOf(tenant: string, row: QueuedRow): Omit<QueuedRun, "approvals"> {
  return {
    tenant,
    runId: row.run_id,
    runNo: row.run_no,
    dagId: row.dag_id,
    specHash: hexOfBytes(row.spec_hash),
    specText: row.spec_text,
    commit: row.commit_id,
    policyRevision: row.policy_revision,
    snapshot: hexOfBytes(row.snapshot),
    snapshotText: row.snapshot_bytes.toString("utf8"),
    trigger: triggerOf(row),
    inputsHash: hexOfBytes(row.inputs_hash),
    runToken: hexOfBytes(row.run_token),
    rationale: JSON.parse(row.rationale) as readonly Rationale[],
    actor: actorOf(row),
    traceId: row.trace_id,
    context: contextOf(row),
    queuedUtc: utcText(row.queued_at),
  };
}

/** Takes the tenant's lock: before any row of run_live, everywhere. */
export async function lockTenant(session: Session, tenant: string): Promise<void> {
  await session.query({ text: "select 1 from tenant where tenant_id = $1 for no key update", values: [tenant] });
}

export async function promote(session: Session, tenant: string, now: UtcText): Promise<void> {
  await session.query({ text: "select promote(array[$1], $2)", values: [tenant, now] });
}
