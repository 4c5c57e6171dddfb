import { type Clock, Fault, type UtcText, utcText } from "../../base/index.ts";
import type { Database, Row } from "../../database/index.ts";
import type { SkipReason } from "../admission-store.ts";
import type {
  AuditOutbox,
  DrainedBatch,
  DrainedBody,
  DrainedSkip,
  PreparedBatch,
  SealedRecord,
  StoredBatch,
  TenantChain,
} from "../audit-outbox.ts";
import { siteTenant } from "./site.ts";

const drainTries = 5;

export function createAuditOutbox(database: Database, clock: Pick<Clock, "now">): AuditOutbox {
  return {
    pending: async () => {
      const [row] = await askDrain(database, [null, 0, 0, utcText(clock.now())]);
      return { count: row?.count ?? 0, oldestUtc: row?.from_utc ?? null };
    },
    lastBatch: () => readLastBatch(database),
    drain: async ({ batch, limit, maxBytes, now }) =>
      drainedBatch(await askDrain(database, [batch, limit, maxBytes, now])),
    prepare: (batch) => insertBatch(database, batch),
    seal: async (batch, records) => {
      try {
        await seal(database, batch, records);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== "DATABASE_CONTENT") throw error;
        // Signed by a clock that stood in a month without a partition: the branch holds it, so the table must.
        for (const month of new Set(records.map(({ timestamp }) => timestamp.slice(0, 7))))
          await database.makePartitions(new Date(`${month}-01T00:00:00.000Z`));
        await seal(database, batch, records);
      }
    },
  };
}

async function seal(database: Database, batch: number, records: readonly SealedRecord[]): Promise<void> {
  await database.transaction((session) =>
    session.query({ text: "select seal($1, $2::json)", values: [batch, JSON.stringify(records.map(recordRow))] }),
  );
}

interface DrainRow extends Row {
  readonly part: "pending" | "body" | "skip" | "chain";
  readonly tenant_id: string;
  readonly dag_id: string | null;
  readonly run_id: string | null;
  readonly name: string | null;
  readonly text: string | null;
  readonly count: number | null;
  readonly from_utc: UtcText | null;
  readonly to_utc: UtcText | null;
}

/** One snapshot for all parts; a skip range that grew meanwhile makes it start over. */
async function askDrain(
  database: Database,
  values: readonly [number | null, number, number, UtcText],
): Promise<readonly DrainRow[]> {
  for (let left = drainTries; ; left--) {
    try {
      return await database.transaction(
        (session) => session.query<DrainRow>({ text: "select * from drain($1, $2, $3, $4)", values }),
        { isolation: "repeatable read" },
      );
    } catch (error) {
      if (left <= 1 || !(error instanceof Fault) || error.code !== "STORE_CONFLICT") throw error;
    }
  }
}

function drainedBatch(rows: readonly DrainRow[]): DrainedBatch {
  return {
    bodies: rows.filter((row) => row.part === "body").map(drainedBody),
    skips: rows.filter((row) => row.part === "skip").map(drainedSkip),
    chains: rows.filter((row) => row.part === "chain").map(tenantChain),
  };
}

const drainedBody = (row: DrainRow): DrainedBody => ({
  tenant: row.tenant_id,
  recordId: row.name ?? "",
  dagId: row.dag_id,
  runId: row.run_id,
  bodyText: row.text ?? "",
  count: row.count,
});

const drainedSkip = (row: DrainRow): DrainedSkip => ({
  tenant: row.tenant_id,
  dagId: row.dag_id ?? "",
  schedule: row.name ?? "",
  reason: row.text as SkipReason,
  from: row.from_utc ?? "",
  to: row.to_utc ?? "",
  count: row.count ?? 0,
});

const tenantChain = (row: DrainRow): TenantChain => ({
  tenant: row.tenant_id,
  lastSeq: row.count ?? 0,
  lastLine: row.text,
  horizon: row.to_utc,
});

interface BatchRow extends Row {
  readonly batch: number;
  readonly state: "prepared" | "done";
  readonly at: Date;
  readonly commit_id: string;
  readonly parent_id: string | null;
  readonly object_types: readonly ("commit" | "tree" | "blob")[];
  readonly object_bodies: readonly Buffer[];
  readonly size: number;
  readonly root: string;
  readonly frontier: readonly string[];
  readonly records: string;
}

async function readLastBatch(database: Database): Promise<StoredBatch | null> {
  const [row] = await database.withTenant(siteTenant, (session) =>
    session.query<BatchRow>({ text: "select * from batch where tenant_id = '_site' order by batch desc limit 1" }),
  );
  if (row === undefined) return null;
  return {
    batch: row.batch,
    state: row.state,
    timestamp: utcText(row.at),
    commit: row.commit_id,
    parent: row.parent_id,
    objects: row.object_types.map((type, n) => ({ type, body: row.object_bodies[n] ?? Buffer.alloc(0) })),
    size: row.size,
    root: row.root,
    frontier: row.frontier,
    records: JSON.parse(row.records) as readonly SealedRecord[],
  };
}

/** A batch that was prepared and not done may be prepared again; one that is done is a conflict. */
async function insertBatch(database: Database, batch: PreparedBatch): Promise<void> {
  const written = await database.withTenant(siteTenant, (session) =>
    session.query({
      text: `insert into batch as b (batch, state, at, commit_id, parent_id, object_types, object_bodies, size, root, frontier, records)
        values ($1, 'prepared', $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant_id, batch) do update set at = excluded.at, commit_id = excluded.commit_id, parent_id = excluded.parent_id,
          object_types = excluded.object_types, object_bodies = excluded.object_bodies, size = excluded.size, root = excluded.root,
          frontier = excluded.frontier, records = excluded.records
        where b.state = 'prepared' returning b.batch`,
      values: [
        ...[batch.batch, batch.timestamp, batch.commit, batch.parent],
        ...[batch.objects.map((object) => object.type), batch.objects.map((object) => Buffer.from(object.body))],
        ...[batch.size, batch.root, batch.frontier, JSON.stringify(batch.records)],
      ],
    }),
  );
  if (written.length === 0) throw new Fault("STORE_CONFLICT", "the batch is done already");
}

const recordRow = ({ tenant, seq, recordId, timestamp, line }: SealedRecord): Record<string, unknown> => ({
  tenant,
  seq,
  record: recordId,
  line,
  at: timestamp,
});
