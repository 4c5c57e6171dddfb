import { type UtcText, utcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { ObservedDag } from "../revision-store.ts";
import { hexOfBytes, utcOrNull } from "./column-codec.ts";

interface DagRow extends Row {
  readonly dag_id: string;
  readonly spec_hash: Buffer;
  readonly armed: boolean;
  readonly suspended: boolean;
  readonly pruned: boolean;
}

interface WatermarkRow extends Row {
  readonly dag_id: string;
  readonly schedule: string;
  readonly slot: Date;
  readonly next_due: Date | null;
}

export interface ObservedSchedule {
  readonly schedule: string;
  readonly watermark: UtcText;
  readonly nextDue: UtcText | null;
}

/** Every DAG of the tenant, tombstones too, by dagId. */
export async function readDags(session: Session, tenant: string): Promise<readonly ObservedDag[]> {
  const rows = await session.query<DagRow>({
    text: "select dag_id, spec_hash, armed, suspended, pruned from dag where tenant_id = $1 order by dag_id",
    values: [tenant],
  });
  const schedules = await readSchedules(session, tenant);
  return rows.map((row) => ({
    dagId: row.dag_id,
    specHash: hexOfBytes(row.spec_hash),
    armed: row.armed,
    suspended: row.suspended,
    pruned: row.pruned,
    schedules: schedules.get(row.dag_id) ?? [],
  }));
}

/** `dagIds` null: of all DAGs; `beyond`: also those of other DAGs that stand after it. */
interface ScheduleFilter {
  readonly dagIds: readonly string[] | null;
  readonly beyond: UtcText | null;
}

/** Watermarks by dagId, each list by schedule name. */
export async function readSchedules(
  session: Session,
  tenant: string,
  { dagIds, beyond }: ScheduleFilter = { dagIds: null, beyond: null },
): Promise<ReadonlyMap<string, readonly ObservedSchedule[]>> {
  const rows = await session.query<WatermarkRow>({
    text: `select dag_id, schedule, slot, next_due from watermark
      where tenant_id = $1 and ($2::text[] is null or dag_id = any ($2)
        or dag_id in (select w.dag_id from watermark w where w.tenant_id = $1 and w.slot > $3::timestamptz))
      order by dag_id, schedule`,
    values: [tenant, dagIds, beyond],
  });
  const byDag = new Map<string, ObservedSchedule[]>();
  for (const row of rows) {
    const list = byDag.get(row.dag_id) ?? [];
    list.push({ schedule: row.schedule, watermark: utcText(row.slot), nextDue: utcOrNull(row.next_due) });
    byDag.set(row.dag_id, list);
  }
  return byDag;
}
