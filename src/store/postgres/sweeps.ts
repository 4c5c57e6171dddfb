import type { Database, Session } from "../../database/index.ts";
import type { SweepBounds, Swept } from "../lease-store.ts";
import { lockTenant } from "./queued-runs.ts";
import { siteTenant } from "./site.ts";

/** One tenant at a time, each in a transaction of its own and held to it by row security: nothing here crosses tenants. */
export async function sweepHistory(database: Database, bounds: SweepBounds): Promise<Swept> {
  const tenants = await database.withTenant(siteTenant, async (session) => {
    const [row] = await session.query<{ tenants: readonly string[] }>({ text: "select tenants from site" });
    return row?.tenants ?? [];
  });
  const swept = { blobs: 0, batches: 0, events: 0 };
  swept.batches = await database.withTenant(siteTenant, (session) => sweepBatches(session, bounds));
  for (const tenant of [...tenants, siteTenant])
    swept.events += await database.withTenant(tenant, (session) => sweepEvents(session, tenant, bounds));
  for (const tenant of tenants)
    swept.blobs += await database.withTenant(tenant, (session) => sweepBlobs(session, tenant, bounds));
  return swept;
}

/**
 * Snapshots that a start or a reader may still ask for: the applied one, those of unfinished runs, and those of runs that
 * were admitted within the time that finished runs keep theirs. A snapshot names blobs by members called sha256.
 */
const unnamed = `with kept as materialized (
    select snapshot as sha256 from tenant where tenant_id = $1 and snapshot is not null
    union select snapshot from run_live where tenant_id = $1
    union select snapshot from run where tenant_id = $1 and run_id >= first_run_id($2)
  ), named as materialized (
    select sha256 from kept
    union select decode(n #>> '{}', 'hex') from kept join blob b on b.tenant_id = $1 and b.sha256 = kept.sha256,
      jsonb_path_query(convert_from(b.bytes, 'UTF8')::jsonb, '$.**.sha256 ? (@ like_regex "^[0-9a-f]{64}$")') n
  )
  select b.sha256 from blob b where b.tenant_id = $1 and not exists (select 1 from named where named.sha256 = b.sha256)`;

/**
 * The tenant's row is what makes it safe: an apply holds it while it checks that all that its snapshot names is there,
 * and an admission while it names a snapshot. Taken only where there is something to sweep: a quiet night writes nothing.
 */
async function sweepBlobs(session: Session, tenant: string, { runsSince }: SweepBounds): Promise<number> {
  const look = () => session.query<{ sha256: Buffer }>({ text: unnamed, values: [tenant, runsSince] });
  if ((await look()).length === 0) return 0;
  await lockTenant(session, tenant);
  const found = await look();
  await session.query({
    text: "delete from blob where tenant_id = $1 and sha256 = any ($2::bytea[])",
    values: [tenant, found.map(({ sha256 }) => sha256)],
  });
  return found.length;
}

/** What recovery writes again from are the newest: done and older than `batchesBefore`, but for the last `batchesKept`. */
async function sweepBatches(session: Session, { batchesBefore, batchesKept }: SweepBounds): Promise<number> {
  const gone = await session.query({
    text: `delete from batch where tenant_id = '_site' and state = 'done' and at < $1
      and batch <= (select max(batch) from batch where tenant_id = '_site') - $2 returning batch`,
    values: [batchesBefore, batchesKept],
  });
  return gone.length;
}

/** The newest of a tenant stay, however old. */
async function sweepEvents(session: Session, tenant: string, { eventsKept }: SweepBounds): Promise<number> {
  const gone = await session.query({
    text: `delete from event where tenant_id = $1
      and n <= (select value from counter where tenant_id = $1 and name = 'event') - $2 returning n`,
    values: [tenant, eventsKept],
  });
  return gone.length;
}
