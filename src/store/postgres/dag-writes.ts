import { Fault, type UtcText } from "../../base/index.ts";
import type { Session } from "../../database/index.ts";
import type { DagVersion, DagWrite, TenantChange } from "../revision-store.ts";
import { hashBytes } from "./column-codec.ts";

type Written = Extract<DagWrite, { kind: "create" | "update" }>;

/** A statement of ten thousand specs would keep the event loop while it is encoded. */
const rowsAtOnce = 256;

/** Writes DAGs in their order, the order of row locks; Fault STORE_CONFLICT where one does not stand where the plan saw it. */
export async function writeDags(session: Session, change: TenantChange): Promise<void> {
  const versions = change.dags.flatMap((dag) =>
    dag.kind === "prune" || dag.kind === "suspend" ? [] : [{ ...dag, commit: change.to }],
  );
  // Kept already where a commit brought it in; a release that understands a spec otherwise has no commit to name.
  for (let at = 0; at < versions.length; at += rowsAtOnce)
    await insertVersions(session, change.tenant, { versions: versions.slice(at, at + rowsAtOnce), now: change.now });
  for (const dag of change.dags) await writeDag(session, change, dag);
}

async function writeDag(session: Session, change: TenantChange, dag: DagWrite): Promise<void> {
  if (dag.kind === "prune") await pruneDag(session, change.tenant, dag);
  else if (dag.kind === "suspend") await suspendDag(session, change.tenant, dag);
  else {
    await (dag.from === null ? createDag(session, change.tenant, dag) : updateDag(session, change.tenant, dag));
    await writeSchedules(session, change.tenant, dag);
  }
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

/** New, or a name that returns from its tombstone. */
async function createDag(session: Session, tenant: string, dag: Written): Promise<void> {
  const made = await session.query({
    text: `insert into dag as d (tenant_id, dag_id, spec_hash, armed, suspended, concurrency_max, overlap)
      values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (tenant_id, dag_id) do update set spec_hash = excluded.spec_hash, armed = excluded.armed,
        suspended = excluded.suspended, concurrency_max = excluded.concurrency_max, overlap = excluded.overlap, pruned = false
      where d.pruned returning d.dag_id`,
    values: [tenant, dag.dagId, hashBytes(dag.specHash), dag.armed, dag.suspended, dag.concurrencyMax, dag.overlap],
  });
  if (made.length === 0) throw conflict(tenant, dag.dagId);
}

async function updateDag(session: Session, tenant: string, dag: Written): Promise<void> {
  const moved = await session.query({
    text: `update dag set spec_hash = $4, armed = $5, suspended = $6, concurrency_max = $7, overlap = $8
      where tenant_id = $1 and dag_id = $2 and spec_hash = $3 and not pruned returning dag_id`,
    values: [
      ...[tenant, dag.dagId, hashBytes(dag.from ?? ""), hashBytes(dag.specHash)],
      ...[dag.armed, dag.suspended, dag.concurrencyMax, dag.overlap],
    ],
  });
  if (moved.length === 0) throw conflict(tenant, dag.dagId);
}

async function pruneDag(session: Session, tenant: string, dag: { dagId: string; from: string }): Promise<void> {
  const pruned = await session.query({
    text: `update dag set pruned = true, armed = false where tenant_id = $1 and dag_id = $2 and spec_hash = $3 and not pruned
      returning dag_id`,
    values: [tenant, dag.dagId, hashBytes(dag.from)],
  });
  if (pruned.length === 0) throw conflict(tenant, dag.dagId);
  await dropSchedules(session, tenant, dag.dagId, []);
}

async function suspendDag(
  session: Session,
  tenant: string,
  dag: Extract<DagWrite, { kind: "suspend" }>,
): Promise<void> {
  const moved = await session.query({
    text: "update dag set suspended = $4 where tenant_id = $1 and dag_id = $2 and spec_hash = $3 and not pruned returning dag_id",
    values: [tenant, dag.dagId, hashBytes(dag.from), dag.suspended],
  });
  if (moved.length === 0) throw conflict(tenant, dag.dagId);
}

async function writeSchedules(session: Session, tenant: string, dag: Written): Promise<void> {
  const names = dag.schedules.map((schedule) => schedule.schedule);
  // What comes anew, or back from its tombstone, has none.
  if (dag.from !== null) await dropSchedules(session, tenant, dag.dagId, names);
  for (const { schedule, from, watermark, nextDue } of dag.schedules) {
    const written = await session.query({
      // A watermark that moved since the plan read it makes `nextDue` the wrong slot.
      text: `insert into watermark as w (tenant_id, dag_id, schedule, slot, next_due) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, dag_id, schedule) do update set slot = excluded.slot, next_due = excluded.next_due where w.slot = $6
        returning w.schedule`,
      values: [tenant, dag.dagId, schedule, watermark, nextDue, from],
    });
    if (written.length === 0) throw conflict(tenant, dag.dagId);
  }
}

/** Schedules that are gone: their watermark ends, an open skip range closes. */
async function dropSchedules(session: Session, tenant: string, dagId: string, keep: readonly string[]): Promise<void> {
  const values = [tenant, dagId, keep];
  await session.query({
    text: "delete from watermark where tenant_id = $1 and dag_id = $2 and not (schedule = any ($3::text[]))",
    values,
  });
  await session.query({
    text: `update skip_live set open = false where tenant_id = $1 and dag_id = $2 and open and not (schedule = any ($3::text[]))`,
    values,
  });
}

function conflict(tenant: string, dagId: string): Fault {
  return new Fault("STORE_CONFLICT", "another writer changed the DAG first", { fields: { tenant, dagId } });
}
