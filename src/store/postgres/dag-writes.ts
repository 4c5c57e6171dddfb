import { Fault, type UtcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { DagVersion, DagWrite, TenantChange } from "../revision-store.ts";
import { hashBytes } from "./column-codec.ts";
import { inBatches } from "./row-batches.ts";

type Written = Extract<DagWrite, { kind: "create" | "update" }>;
type Moved<Kind extends DagWrite["kind"]> = Extract<DagWrite, { kind: Kind }>;

/**
 * Writes DAGs a few hundred a statement; Fault STORE_CONFLICT where one does not stand where the plan saw it. The
 * tenant's row is locked: nobody else writes its DAGs meanwhile, so the order of row locks within a statement is free.
 */
export async function writeDags(session: Session, change: TenantChange): Promise<void> {
  const { tenant, dags, now } = change;
  const written = dags.filter((dag): dag is Written => dag.kind === "create" || dag.kind === "update");
  // Kept already where a commit brought it in; a release that understands a spec otherwise has no commit to name.
  const versions = written.map((dag) => ({ ...dag, commit: change.to }));
  await inBatches(versions, (batch) => insertVersions(session, tenant, { versions: batch, now }));
  const pruned = dags.filter((dag) => dag.kind === "prune");
  const writes: Writes = { session, tenant };
  const created = written.filter(({ from }) => from === null);
  const updated = written.filter(({ from }) => from !== null);
  await inBatches(created, (batch) => createDags(writes, batch));
  await inBatches(updated, (batch) => updateDags(writes, batch));
  await inBatches(pruned, (batch) => pruneDags(writes, batch));
  await inBatches(
    dags.filter((dag) => dag.kind === "suspend"),
    (batch) => suspendDags(writes, batch),
  );
  // What comes anew, or back from its tombstone, has none.
  await inBatches(updated, (batch) => dropSchedules(writes, batch));
  await inBatches(
    pruned.map(({ dagId }) => ({ dagId, schedules: [] })),
    (batch) => dropSchedules(writes, batch),
  );
  const schedules = written.flatMap((dag) => dag.schedules.map((schedule) => ({ ...schedule, dagId: dag.dagId })));
  await inBatches(
    schedules.filter(({ from }) => from === null),
    (batch) => beginSchedules(writes, batch),
  );
  await inBatches(
    schedules.filter(({ from }) => from !== null),
    (batch) => moveSchedules(writes, batch),
  );
}

interface Writes {
  readonly session: Session;
  readonly tenant: string;
}

/** All in one statement; each (dagId, specHash) once. The commit that first introduced a specHash here keeps it. */
export async function insertVersions(
  session: Session,
  tenant: string,
  { versions, now }: { readonly versions: readonly DagVersion[]; readonly now: UtcText },
): Promise<void> {
  if (versions.length === 0) return;
  const column = <T>(of: (version: DagVersion) => T): readonly T[] => versions.map(of);
  await session.query({
    text: `insert into dag_version (tenant_id, dag_id, spec_hash, commit_id, spec_text, at)
      select $1, v.dag_id, v.spec_hash, v.commit_id, v.spec_text, $6
      from unnest($2::text[], $3::bytea[], $4::text[], $5::text[]) as v (dag_id, spec_hash, commit_id, spec_text)
      on conflict do nothing`,
    values: [
      ...[tenant, column(({ dagId }) => dagId), column(({ specHash }) => hashBytes(specHash))],
      ...[column(({ commit }) => commit), column(({ specText }) => specText), now],
    ],
  });
}

/** New, or names that return from their tombstones. */
async function createDags({ session, tenant }: Writes, dags: readonly Written[]): Promise<void> {
  const made = await session.query<DagIdRow>({
    text: `insert into dag as d (tenant_id, dag_id, spec_hash, armed, suspended, concurrency_max, overlap)
      select $1, v.* from unnest($2::text[], $3::bytea[], $4::bool[], $5::bool[], $6::int[], $7::text[]) as v
      on conflict (tenant_id, dag_id) do update set spec_hash = excluded.spec_hash, armed = excluded.armed,
        suspended = excluded.suspended, concurrency_max = excluded.concurrency_max, overlap = excluded.overlap, pruned = false
      where d.pruned returning d.dag_id`,
    values: [tenant, dags.map(({ dagId }) => dagId), ...columnsOf(dags)],
  });
  requireAll(tenant, dags, made);
}

async function updateDags({ session, tenant }: Writes, dags: readonly Written[]): Promise<void> {
  const moved = await session.query<DagIdRow>({
    text: `update dag d set spec_hash = v.spec_hash, armed = v.armed, suspended = v.suspended,
        concurrency_max = v.concurrency_max, overlap = v.overlap
      from unnest($2::text[], $3::bytea[], $4::bytea[], $5::bool[], $6::bool[], $7::int[], $8::text[])
        as v (dag_id, seen, spec_hash, armed, suspended, concurrency_max, overlap)
      where d.tenant_id = $1 and d.dag_id = v.dag_id and d.spec_hash = v.seen and not d.pruned returning d.dag_id`,
    values: [
      ...[tenant, dags.map(({ dagId }) => dagId), dags.map(({ from }) => hashBytes(from ?? ""))],
      ...columnsOf(dags),
    ],
  });
  requireAll(tenant, dags, moved);
}

/** As both statements name them: spec_hash, armed, suspended, concurrency_max, overlap. */
const columnsOf = (dags: readonly Written[]): readonly unknown[] => [
  dags.map(({ specHash }) => hashBytes(specHash)),
  dags.map(({ armed }) => armed),
  dags.map(({ suspended }) => suspended),
  dags.map(({ concurrencyMax }) => concurrencyMax),
  dags.map(({ overlap }) => overlap),
];

async function pruneDags({ session, tenant }: Writes, dags: readonly Moved<"prune">[]): Promise<void> {
  const pruned = await session.query<DagIdRow>({
    text: `update dag d set pruned = true, armed = false from unnest($2::text[], $3::bytea[]) as v (dag_id, seen)
      where d.tenant_id = $1 and d.dag_id = v.dag_id and d.spec_hash = v.seen and not d.pruned returning d.dag_id`,
    values: [tenant, dags.map(({ dagId }) => dagId), dags.map(({ from }) => hashBytes(from))],
  });
  requireAll(tenant, dags, pruned);
}

async function suspendDags({ session, tenant }: Writes, dags: readonly Moved<"suspend">[]): Promise<void> {
  const moved = await session.query<DagIdRow>({
    text: `update dag d set suspended = v.suspended
      from unnest($2::text[], $3::bytea[], $4::bool[]) as v (dag_id, seen, suspended)
      where d.tenant_id = $1 and d.dag_id = v.dag_id and d.spec_hash = v.seen and not d.pruned returning d.dag_id`,
    values: [
      ...[tenant, dags.map(({ dagId }) => dagId), dags.map(({ from }) => hashBytes(from))],
      dags.map(({ suspended }) => suspended),
    ],
  });
  requireAll(tenant, dags, moved);
}

type ScheduleWrite = Written["schedules"][number] & { readonly dagId: string };

/** A row that is there already was begun by another writer. */
async function beginSchedules({ session, tenant }: Writes, schedules: readonly ScheduleWrite[]): Promise<void> {
  const begun = await session.query<DagIdRow>({
    text: `insert into watermark (tenant_id, dag_id, schedule, slot, next_due)
      select $1, v.* from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) as v
      on conflict (tenant_id, dag_id, schedule) do nothing returning dag_id`,
    values: [
      ...[tenant, schedules.map(({ dagId }) => dagId), schedules.map(({ schedule }) => schedule)],
      ...[schedules.map(({ watermark }) => watermark), schedules.map(({ nextDue }) => nextDue)],
    ],
  });
  requireAll(tenant, schedules, begun);
}

/** A watermark that moved since the plan read it makes `nextDue` the wrong slot. */
async function moveSchedules({ session, tenant }: Writes, schedules: readonly ScheduleWrite[]): Promise<void> {
  const moved = await session.query<DagIdRow>({
    text: `update watermark w set slot = v.slot, next_due = v.next_due
      from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
        as v (dag_id, schedule, slot, next_due, seen)
      where w.tenant_id = $1 and w.dag_id = v.dag_id and w.schedule = v.schedule and w.slot = v.seen returning w.dag_id`,
    values: [
      ...[tenant, schedules.map(({ dagId }) => dagId), schedules.map(({ schedule }) => schedule)],
      ...[schedules.map(({ watermark }) => watermark), schedules.map(({ nextDue }) => nextDue)],
      schedules.map(({ from }) => from),
    ],
  });
  requireAll(tenant, schedules, moved);
}

interface KeptSchedules {
  readonly dagId: string;
  readonly schedules: readonly { readonly schedule: string }[];
}

/** Schedules that are gone: their watermark ends, an open skip range closes. */
async function dropSchedules({ session, tenant }: Writes, dags: readonly KeptSchedules[]): Promise<void> {
  const kept = dags.flatMap(({ dagId, schedules }) => schedules.map(({ schedule }) => ({ dagId, schedule })));
  const values = [
    ...[tenant, dags.map(({ dagId }) => dagId)],
    ...[kept.map(({ dagId }) => dagId), kept.map(({ schedule }) => schedule)],
  ];
  const gone = `tenant_id = $1 and dag_id = any ($2::text[])
    and (dag_id, schedule) not in (select * from unnest($3::text[], $4::text[]))`;
  await session.query({ text: `delete from watermark where ${gone}`, values });
  await session.query({ text: `update skip_live set open = false where open and ${gone}`, values });
}

interface DagIdRow extends Row {
  readonly dag_id: string;
}

/** Each statement answers the rows that it found where the plan saw them. */
function requireAll(tenant: string, wanted: readonly { readonly dagId: string }[], found: readonly DagIdRow[]): void {
  if (found.length === wanted.length) return;
  const there = new Set(found.map(({ dag_id }) => dag_id));
  const dagId = wanted.find((dag) => !there.has(dag.dagId))?.dagId ?? "";
  throw new Fault("STORE_CONFLICT", "another writer changed the DAG first", { fields: { tenant, dagId } });
}
