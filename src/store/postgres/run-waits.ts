import type { Row, Session } from "../../database/index.ts";
import { type RunWait, readyWait, runWait } from "../../policy/index.ts";

/** Of a queued run: its DAG, and whether promotion has chosen it. */
interface QueuedRow {
  readonly run_id: string;
  readonly dag_id: string;
  readonly ready: boolean;
}

interface UsageRow extends Row {
  readonly dag_id: string;
  readonly suspended: boolean;
  readonly concurrency_max: number;
  readonly busy: number;
  readonly admitted: number;
  readonly starts: number;
  readonly max_runs: number;
  readonly starts_per_hour: number | null;
}

// The limits are those that `turn_quotas` would put into the row now: an override that ended holds nobody back.
const usageText = `select d.dag_id, t.suspended or d.suspended or d.pruned as suspended, d.concurrency_max, t.admitted,
    case when t.starts_hour = date_trunc('hour', $3::timestamptz, 'UTC') then t.starts else 0 end as starts,
    coalesce(s.max_runs, t.max_runs) as max_runs,
    case when s.max_runs is null then t.starts_per_hour else s.starts_per_hour end as starts_per_hour,
    (select count(*)::int from run_live b where b.tenant_id = d.tenant_id and b.dag_id = d.dag_id and b.tag is not null) as busy
  from tenant t join dag d on d.tenant_id = t.tenant_id
  left join lateral (
    select x.max_runs, x.starts_per_hour
    from jsonb_to_recordset(t.quota_segments) x(until timestamptz, max_runs int, starts_per_hour int)
    where t.quota_until <= $3::timestamptz and (x.until is null or x.until > $3::timestamptz) order by x.until nulls last limit 1) s on true
  where t.tenant_id = $1 and d.dag_id = any ($2)`;

/** What each queued run waits for, by run id: the facts of `promote` in this transaction, judged by `decidePromotion`. */
export async function readWaits(
  session: Session,
  { tenant, runs, now }: { readonly tenant: string; readonly runs: readonly QueuedRow[]; readonly now: Date },
): Promise<ReadonlyMap<string, RunWait>> {
  const dagIds = [...new Set(runs.flatMap(({ ready, dag_id }) => (ready ? [] : [dag_id])))];
  const rows =
    dagIds.length === 0
      ? []
      : await session.query<UsageRow>({ text: usageText, values: [tenant, dagIds, now.toISOString()] });
  const waits = new Map(rows.map((row) => [row.dag_id, waitOf(row, now)]));
  return new Map(
    runs.flatMap(({ run_id, dag_id, ready }) => {
      const wait = ready ? readyWait : waits.get(dag_id);
      return wait === undefined ? [] : [[run_id, wait] as const];
    }),
  );
}

function waitOf(row: UsageRow, now: Date): RunWait {
  return runWait({
    quota: { runs: { maxConcurrent: row.max_runs, startsPerHour: row.starts_per_hour } },
    usage: {
      admitted: row.admitted,
      admittedOfDag: row.busy,
      startsThisHour: row.starts,
      suspended: row.suspended,
    },
    demand: { concurrency: { max: row.concurrency_max } },
    now,
  });
}
