import { type Clock, type CodeName, type UtcText, utcText } from "../../base/index.ts";
import type { Database, Row, Session } from "../../database/index.ts";
import type { RunWait } from "../../policy/index.ts";
import type {
  AttemptView,
  ConditionView,
  DagView,
  LedgerStore,
  RunsQuery,
  RunView,
  TenantView,
} from "../ledger-store.ts";
import { hashBytes, hexOfBytes, isHash, isUuid, utcOrNull } from "./column-codec.ts";
import { readConditionViews } from "./conditions.ts";
import { readEvents } from "./events.ts";
import { readSchedules } from "./observed-dags.ts";
import { actorOf, contextOf, type RunRow, triggerOf } from "./queued-runs.ts";
import { readWaits } from "./run-waits.ts";

export function createLedgerStore(database: Database, clock: Pick<Clock, "now">): LedgerStore {
  return {
    getTenant: (tenant) => database.withTenant(tenant, (session) => readTenant(session, tenant)),
    listDags: (tenant) => database.withTenant(tenant, (session) => readDagViews(session, tenant, null)),
    getDag: (tenant, dagId) =>
      database.withTenant(tenant, async (session) => (await readDagViews(session, tenant, dagId))[0] ?? null),
    listRuns: (tenant, query) =>
      query.before !== null && !isUuid(query.before)
        ? Promise.resolve([])
        : database.withTenant(tenant, (session) =>
            readRuns(session, tenant, { ...query, runId: null, now: clock.now() }),
          ),
    getRun: async (tenant, runId) => {
      if (!isUuid(runId)) return null;
      const query = { dagId: null, before: null, limit: 1, runId, now: clock.now() };
      return (await database.withTenant(tenant, (session) => readRuns(session, tenant, query)))[0] ?? null;
    },
    attempts: (tenant, runId) =>
      isUuid(runId)
        ? database.withTenant(tenant, (session) => readAttempts(session, tenant, runId))
        : Promise.resolve([]),
    hasLog: (tenant, runId, logsHash) =>
      isUuid(runId) && isHash(logsHash)
        ? database.withTenant(tenant, (session) => hasLog(session, { tenant, runId, logsHash }))
        : Promise.resolve(false),
    events: (tenant, query) => database.withTenant(tenant, (session) => readEvents(session, tenant, query)),
    queueDepth: (tenant) =>
      database.withTenant(tenant, async (session) => {
        const [row] = await session.query<{ n: number }>({
          text: "select count(*) as n from run_live where tenant_id = $1 and state = 'queued'",
          values: [tenant],
        });
        return row?.n ?? 0;
      }),
    recordOf: (tenant, recordId) =>
      database.withTenant(tenant, async (session) => {
        const [row] = await session.query<{ seq: number; batch: number; line: string }>({
          text: "select seq, batch, line from record where tenant_id = $1 and record_id = $2 order by seq limit 1",
          values: [tenant, recordId],
        });
        return row ?? null;
      }),
  };
}

async function readTenant(session: Session, tenant: string): Promise<TenantView | null> {
  const [row] = await session.query<{ applied_revision: string | null; suspended: boolean }>({
    text: "select applied_revision, suspended from tenant where tenant_id = $1",
    values: [tenant],
  });
  if (row === undefined) return null;
  return {
    tenant,
    appliedRevision: row.applied_revision,
    suspended: row.suspended,
    conditions: await readConditionViews(session, tenant, { kind: "Tenant", name: null }),
  };
}

interface DagViewRow extends Row {
  readonly dag_id: string;
  readonly spec_hash: Buffer;
  readonly spec_text: string;
  readonly commit_id: string;
  readonly armed: boolean;
  readonly suspended: boolean;
  readonly pruned: boolean;
  readonly applied_revision: string;
}

async function readDagViews(session: Session, tenant: string, dagId: string | null): Promise<readonly DagView[]> {
  const rows = await session.query<DagViewRow>({
    text: `select d.dag_id, d.spec_hash, v.spec_text, v.commit_id, d.armed, d.suspended, d.pruned, t.applied_revision
      from dag d join tenant t on t.tenant_id = d.tenant_id
      join dag_version v on v.tenant_id = d.tenant_id and v.dag_id = d.dag_id and v.spec_hash = d.spec_hash
      where d.tenant_id = $1 and ($2::text is null or d.dag_id = $2) order by d.dag_id`,
    values: [tenant, dagId],
  });
  const schedules = await readSchedules(session, tenant, { dagIds: dagId === null ? null : [dagId], beyond: null });
  const conditions = new Map<string, ConditionView[]>();
  for (const condition of await readConditionViews(session, tenant, { kind: "Dag", name: dagId })) {
    const own = conditions.get(condition.name);
    if (own === undefined) conditions.set(condition.name, [condition]);
    else own.push(condition);
  }
  return rows.map((row) => ({
    tenant,
    dagId: row.dag_id,
    specHash: hexOfBytes(row.spec_hash),
    specText: row.spec_text,
    commit: row.commit_id,
    armed: row.armed,
    suspended: row.suspended,
    pruned: row.pruned,
    schedules: (schedules.get(row.dag_id) ?? []).map(({ schedule, nextDue }) => ({ schedule, nextDue })),
    conditions: conditions.get(row.dag_id) ?? [],
    appliedRevision: row.applied_revision,
  }));
}

interface RunViewRow extends RunRow {
  readonly state: RunView["state"];
  readonly class: string | null;
  readonly code: string | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly outputs_hash: Buffer | null;
  /** Of a run that is queued: whether it was promoted. */
  readonly ready: boolean;
}

interface RunQuery extends RunsQuery {
  readonly runId: string | null;
  readonly now: Date;
}

const shared = `run_id, run_no, dag_id, spec_hash, policy_revision, trigger_kind, trigger_key, schedule, slot, inputs_hash, run_token,
  actor_kind, actor_subject, actor_key, context_now, context_seed, queued_at, started_at, tenant_id`;
const wanted = `tenant_id = $1 and ($2::text is null or dag_id = $2) and ($3::uuid is null or run_id < $3) and ($4::uuid is null or run_id = $4)`;

// Each half is limited before the union: a run id is a UUIDv7, so newest first is an index scan from the end.
const runsText = `select r.*, v.commit_id from (
    (select ${shared}, state, null as class, null as code, null::timestamptz as ended_at, null::bytea as outputs_hash, tag is not null as ready
      from run_live where ${wanted} order by run_id desc limit $5)
    union all
    (select ${shared}, status, class, code, ended_at, outputs_hash, true from run where ${wanted} and not $6 order by run_id desc limit $5)
  ) r join dag_version v on v.tenant_id = r.tenant_id and v.dag_id = r.dag_id and v.spec_hash = r.spec_hash
  order by r.run_id desc limit $5`;

async function readRuns(session: Session, tenant: string, query: RunQuery): Promise<readonly RunView[]> {
  const rows = await session.query<RunViewRow>({
    text: runsText,
    values: [tenant, query.dagId, query.before, query.runId, query.limit, query.unfinished ?? false],
  });
  const queued = rows.filter(({ state }) => state === "queued");
  const waits = await readWaits(session, { tenant, runs: queued, now: query.now });
  return rows.map((row) => runView(tenant, row, waits.get(row.run_id) ?? null));
}

function runView(tenant: string, row: RunViewRow, wait: RunWait | null): RunView {
  return {
    tenant,
    runId: row.run_id,
    runNo: row.run_no,
    dagId: row.dag_id,
    state: row.state,
    wait,
    class: row.class,
    code: row.code,
    specHash: hexOfBytes(row.spec_hash),
    commit: row.commit_id,
    policyRevision: row.policy_revision,
    trigger: triggerOf(row),
    actor: actorOf(row),
    queuedUtc: utcText(row.queued_at),
    startedUtc: utcOrNull(row.started_at),
    endedUtc: utcOrNull(row.ended_at),
    inputsHash: hexOfBytes(row.inputs_hash),
    outputsHash: row.outputs_hash === null ? null : hexOfBytes(row.outputs_hash),
    runToken: hexOfBytes(row.run_token),
    context: contextOf(row),
  };
}

/** By (stepId, index, attempt). */
async function readAttempts(session: Session, tenant: string, runId: string): Promise<readonly AttemptView[]> {
  const [row] = await session.query<{ attempts: readonly StoredAttempt[] }>({
    text: `select coalesce(json_agg(json_build_object('tenant', tenant_id, 'runId', run_id, 'fence', fence, 'stepId', step_id,
        'index', index, 'attempt', attempt, 'status', status, 'class', class, 'code', code, 'message', message,
        'startedUtc', utc(started_at), 'endedUtc', utc(ended_at), 'stepHash', hex(step_hash), 'stepKey', hex(step_key),
        'inputsHash', hex(inputs_hash), 'outputsHash', hex(outputs_hash), 'egress', egress::json, 'logsHash', hex(logs_hash),
        'artifacts', artifacts::json) order by step_id, index, attempt), '[]') as attempts
      from attempt where tenant_id = $1 and run_id = $2`,
    values: [tenant, runId],
  });
  return row?.attempts ?? [];
}

/** The statement answers the very shape, as JSON. */
type StoredAttempt = AttemptView & { readonly code: CodeName | null; readonly startedUtc: UtcText };

async function hasLog(
  session: Session,
  { tenant, runId, logsHash }: { readonly tenant: string; readonly runId: string; readonly logsHash: string },
): Promise<boolean> {
  const rows = await session.query({
    text: "select 1 from attempt where tenant_id = $1 and run_id = $2 and logs_hash = $3 limit 1",
    values: [tenant, runId, hashBytes(logsHash)],
  });
  return rows.length > 0;
}
