import type { UtcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { Condition } from "../revision-store.ts";
import { conditionEvent, insertEvent } from "./events.ts";

interface ConditionRow extends Row {
  readonly kind: Condition["kind"];
  readonly name: string;
  readonly type: Condition["type"];
  readonly status: Condition["status"];
  readonly reason: string;
  readonly message: string;
  readonly observed_revision: string | null;
}

/** The conditions of the tenant that the transaction acts as, `_site` for the site's, by (kind, name, type). */
export async function readConditions(session: Session, tenant: string): Promise<readonly Condition[]> {
  const rows = await session.query<ConditionRow>({
    text: `select kind, name, type, status, reason, message, observed_revision from condition
      where tenant_id = $1 order by kind, name, type`,
    values: [tenant],
  });
  return rows.map(({ observed_revision, ...rest }) => ({ ...rest, observedRevision: observed_revision }));
}

/** Makes the stored set equal to `wanted`, writing only what differs: a pass without changes writes nothing. */
export async function replaceConditions(
  session: Session,
  tenant: string,
  wanted: readonly Condition[],
  now: UtcText,
): Promise<void> {
  const stored = new Map((await readConditions(session, tenant)).map((found) => [keyOf(found), found]));
  for (const condition of wanted) {
    const found = stored.get(keyOf(condition));
    stored.delete(keyOf(condition));
    if (found !== undefined && isSame(found, condition)) continue;
    await upsert(session, tenant, condition, now);
    if (isNews(found, condition)) await insertEvent(session, tenant, conditionEvent(condition), now);
  }
  for (const { kind, name, type } of stored.values()) {
    await session.query({
      text: "delete from condition where tenant_id = $1 and kind = $2 and name = $3 and type = $4",
      values: [tenant, kind, name, type],
    });
  }
}

const keyOf = ({ kind, name, type }: Condition): string => `${kind}/${name}/${type}`;

/** Its history holds what it said, not each revision at which it said the same. What begins well is no news. */
function isNews(before: Condition | undefined, { type, status, reason }: Condition): boolean {
  if (before === undefined) return (type === "Ready") !== (status === "True");
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

async function upsert(session: Session, tenant: string, condition: Condition, now: UtcText): Promise<void> {
  const { kind, name, type, status, reason, message, observedRevision } = condition;
  await session.query({
    // changed_at is the last change of status: how long a thing has been so.
    text: `insert into condition as c (tenant_id, kind, name, type, status, reason, message, observed_revision, changed_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      on conflict (tenant_id, kind, name, type) do update set status = excluded.status, reason = excluded.reason,
        message = excluded.message, observed_revision = excluded.observed_revision,
        changed_at = case when c.status = excluded.status then c.changed_at else excluded.changed_at end`,
    values: [tenant, kind, name, type, status, reason, message, observedRevision, now],
  });
}
