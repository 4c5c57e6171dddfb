import type { CodeName } from "../../base/index.ts";
import type { Database, Row, Session } from "../../database/index.ts";
import type { AdmissionAnswer, AdmissionRequest, AdmissionStore, DueSchedule, SkipReason } from "../admission-store.ts";
import { admissionRow, isFitRequest } from "./admission-row.ts";
import { cancelRun } from "./cancel-run.ts";
import { countDenial } from "./denials.ts";
import { endQueuedRuns } from "./queued-runs.ts";
import { monthsOf } from "./run-months.ts";

interface DueRow extends Row {
  readonly tenant_id: string;
  readonly dag_id: string;
  readonly schedule: string;
  readonly watermark: Date;
  readonly next_due: Date;
  readonly spec_hash: string;
  readonly spec_text: string;
  readonly blocked: DueSchedule["blocked"];
}

export function createAdmissionStore(database: Database): AdmissionStore {
  const makeMonths = monthsOf(database);
  const due = (now: Date | "infinity", limit: number): Promise<readonly DueRow[]> =>
    database.transaction((session) =>
      session.query<DueRow>({ name: "due_slots", text: "select * from due_slots($1, $2)", values: [now, limit] }),
    );
  return {
    dueSchedules: async (now, limit) => (await due(now, limit)).map(dueSchedule),
    nextDue: async () => (await due("infinity", 1))[0]?.next_due ?? null,
    admit: async (items) => {
      await makeMonths(items.filter(isFitRequest).map(({ runId }) => runId));
      return database.transaction((session) => admitAll(session, items));
    },
    cancel: (request) => cancelRun(database, request),
  };
}

function dueSchedule(row: DueRow): DueSchedule {
  return {
    tenant: row.tenant_id,
    dagId: row.dag_id,
    schedule: row.schedule,
    watermark: row.watermark,
    nextDue: row.next_due,
    specHash: row.spec_hash,
    specText: row.spec_text,
    blocked: row.blocked,
  };
}

interface AdmitRow extends Row {
  readonly n: number;
  readonly kind: AdmissionAnswer["kind"];
  readonly run_id: string | null;
  readonly run_no: number | null;
  readonly code: string | null;
  readonly latest: boolean;
}

async function admitAll(session: Session, items: readonly AdmissionRequest[]): Promise<readonly AdmissionAnswer[]> {
  const rows = items.flatMap((item, n) => (isFitRequest(item) ? [admissionRow(item, n)] : []));
  const admitted = await session.query<AdmitRow>({
    name: "admit",
    text: "select * from admit($1::json)",
    values: [JSON.stringify(rows)],
  });
  const answers = new Map<number, AdmissionAnswer>();
  const newest = new Map<string, AdmissionRequest>();
  for (const row of admitted) {
    const item = items[row.n];
    if (item === undefined) continue;
    const answer = answerOf(row);
    answers.set(row.n, answer);
    if (row.latest) newest.set(`${item.tenant}/${item.dagId}`, item);
    if (answer.kind === "refused") await recordDenial(session, item, answer.code);
  }
  for (const item of newest.values()) await endSuperseded(session, item);
  // A request that the tables cannot hold: the door should have refused it.
  return items.map((_, n) => answers.get(n) ?? { kind: "refused", code: "BAD_REQUEST" });
}

// What the one statement leaves to its transaction: bodies that only record/ can make.

async function recordDenial(session: Session, item: AdmissionRequest, code: CodeName): Promise<void> {
  if (item.denial === null || !isDenied(code)) return;
  await session.actAs(item.tenant);
  await countDenial(session, item, code);
}

/** `overlap: latest`: of the runs of the DAG that wait, only the newest stays. */
async function endSuperseded(
  session: Session,
  { tenant, dagId, runId, superseded, now }: AdmissionRequest,
): Promise<void> {
  await session.actAs(tenant);
  await endQueuedRuns(
    session,
    { where: "l.dag_id = $1 and l.tag is null and l.run_id <> $2", values: [dagId, runId] },
    { tenant, bodyOf: superseded, now },
  );
}

// A name that no DAG has is a stranger's word: it must not grow the branch.
const isDenied = (code: CodeName): boolean => code !== "DAG_NOT_FOUND";

function answerOf(row: AdmitRow): AdmissionAnswer {
  switch (row.kind) {
    case "admitted":
      return { kind: "admitted", runId: row.run_id ?? "", runNo: row.run_no ?? 0 };
    case "existing":
      return { kind: "existing", runId: row.run_id ?? "" };
    case "refused":
      return { kind: "refused", code: row.code as CodeName };
    case "skipped":
      return { kind: "skipped", reason: row.code as SkipReason };
    case "stale":
      return { kind: "stale" };
  }
}
