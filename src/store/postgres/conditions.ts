import { type UtcText, utcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { ConditionView } from "../ledger-store.ts";
import type { Condition, ConditionWrite } from "../revision-store.ts";
import { conditionEvent, insertEvents } from "./events.ts";
import { inBatches } from "./row-batches.ts";

interface ConditionRow extends Row {
  readonly kind: Condition["kind"];
  readonly name: string;
  readonly type: Condition["type"];
  readonly status: Condition["status"];
  readonly reason: string;
  readonly message: string;
  readonly observed_revision: string | null;
}

/** null = any. */
interface ConditionFilter {
  readonly kind: Condition["kind"] | null;
  readonly name: string | null;
}

/** The conditions of the tenant that the transaction acts as, `_site` for the site's, by (kind, name, type). */
export async function readConditions(
  session: Session,
  tenant: string,
  only: ConditionFilter = { kind: null, name: null },
): Promise<readonly Condition[]> {
  const rows = await readRows<ConditionRow>(session, tenant, only);
  return rows.map(conditionOf);
}

const readRows = <R extends ConditionRow>(
  session: Session,
  tenant: string,
  { kind, name }: ConditionFilter,
): Promise<readonly R[]> =>
  session.query<R>({
    text: `select kind, name, type, status, reason, message, observed_revision, changed_at from condition
      where tenant_id = $1 and ($2::text is null or kind = $2) and ($3::text is null or name = $3) order by kind, name, type`,
    values: [tenant, kind, name],
  });

const conditionOf = ({ kind, name, type, status, reason, message, observed_revision }: ConditionRow): Condition => ({
  ...{ kind, name, type, status, reason, message },
  observedRevision: observed_revision,
});

/** The same for people: with how long a thing has been so. */
export async function readConditionViews(
  session: Session,
  tenant: string,
  only: ConditionFilter,
): Promise<readonly ConditionView[]> {
  const rows = await readRows<ConditionRow & { readonly changed_at: Date }>(session, tenant, only);
  return rows.map((row) => ({ ...conditionOf(row), since: utcText(row.changed_at) }));
}

/** Makes the stored set equal to `wanted`, writing only what differs: a pass without changes writes nothing. */
export async function replaceConditions(
  session: Session,
  tenant: string,
  wanted: readonly Condition[],
  now: UtcText,
): Promise<void> {
  const stored = new Map((await readConditions(session, tenant)).map((found) => [keyOf(found), found]));
  const writes: ConditionWrite[] = [];
  for (const to of wanted) {
    const from = stored.get(keyOf(to)) ?? null;
    stored.delete(keyOf(to));
    if (from === null || !isSame(from, to)) writes.push({ from, to });
  }
  for (const from of stored.values()) writes.push({ from, to: null });
  await writeConditions(session, tenant, writes, now);
}

/** Writes what changes in the stored set, with its events: `from` is what stands there. */
export async function writeConditions(
  session: Session,
  tenant: string,
  writes: readonly ConditionWrite[],
  now: UtcText,
): Promise<void> {
  const moved = writes.flatMap(({ to }) => (to === null ? [] : [to]));
  const gone = writes.flatMap(({ from, to }) => (to === null && from !== null ? [from] : []));
  const news = writes.flatMap(({ from, to }) => (to !== null && isNews(from, to) ? [conditionEvent(to)] : []));
  await inBatches(moved, (batch) => upsert(session, tenant, { batch, now }));
  await insertEvents(session, tenant, { events: news, now });
  await inBatches(gone, (batch) => remove(session, tenant, batch));
}

const keyOf = ({ kind, name, type }: Condition): string => `${kind}/${name}/${type}`;

/** Its history holds what it said, not each revision at which it said the same. What begins well is no news. */
function isNews(before: Condition | null, { type, status, reason }: Condition): boolean {
  if (before === null) return (type === "Ready") !== (status === "True");
  return before.status !== status || before.reason !== reason;
}

function isSame(left: Condition, right: Condition): boolean {
  return (
    left.status === right.status &&
    left.reason === right.reason &&
    left.message === right.message &&
    left.observedRevision === right.observedRevision
  );
}

async function upsert(
  session: Session,
  tenant: string,
  { batch, now }: { readonly batch: readonly Condition[]; readonly now: UtcText },
): Promise<void> {
  const column = <T>(of: (condition: Condition) => T): readonly T[] => batch.map(of);
  await session.query({
    // changed_at is the last change of status: how long a thing has been so.
    text: `insert into condition as c (tenant_id, kind, name, type, status, reason, message, observed_revision, changed_at)
      select $1, w.*, $9
      from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) as w
      on conflict (tenant_id, kind, name, type) do update set status = excluded.status, reason = excluded.reason,
        message = excluded.message, observed_revision = excluded.observed_revision,
        changed_at = case when c.status = excluded.status then c.changed_at else excluded.changed_at end`,
    values: [
      ...[tenant, column(({ kind }) => kind), column(({ name }) => name), column(({ type }) => type)],
      ...[column(({ status }) => status), column(({ reason }) => reason), column(({ message }) => message)],
      ...[column(({ observedRevision }) => observedRevision), now],
    ],
  });
}

async function remove(session: Session, tenant: string, batch: readonly Condition[]): Promise<void> {
  await session.query({
    text: `delete from condition c using unnest($2::text[], $3::text[], $4::text[]) as gone (kind, name, type)
      where c.tenant_id = $1 and c.kind = gone.kind and c.name = gone.name and c.type = gone.type`,
    values: [tenant, batch.map(({ kind }) => kind), batch.map(({ name }) => name), batch.map(({ type }) => type)],
  });
}
