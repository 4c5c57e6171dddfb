import { canonicalText, type UtcText, utcText } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { EventQuery, EventView } from "../ledger-store.ts";
import { inBatches } from "./row-batches.ts";

/** One thing that happened to a tenant, numbered without gaps. */
export interface NewEvent {
  readonly type: string;
  /** `dag/hello`, `tenant/acme`, `site/hq`. */
  readonly subject: string;
  /** Canonical JSON. */
  readonly body: string;
}

/** In the transaction of what they tell of, numbered in their order. */
export async function insertEvents(
  session: Session,
  tenant: string,
  { events, now }: { readonly events: readonly NewEvent[]; readonly now: UtcText },
): Promise<void> {
  await inBatches(events, async (batch) => {
    await session.query({
      text: `with next as (
          insert into counter as c (tenant_id, name, value) values ($1, 'event', $2)
          on conflict (tenant_id, name) do update set value = c.value + excluded.value returning value)
        insert into event (tenant_id, n, type, subject, body, at)
        select $1, next.value - $2 + e.place, e.type, e.subject, e.body, $6
        from next, unnest($3::text[], $4::text[], $5::text[]) with ordinality as e (type, subject, body, place)`,
      values: [
        ...[tenant, batch.length, batch.map(({ type }) => type), batch.map(({ subject }) => subject)],
        ...[batch.map(({ body }) => body), now],
      ],
    });
  });
}

interface EventRow extends Row {
  readonly n: number;
  readonly type: string;
  readonly subject: string;
  readonly body: string;
  readonly at: Date;
}

/** Newest first. */
export async function readEvents(session: Session, tenant: string, query: EventQuery): Promise<readonly EventView[]> {
  const rows = await session.query<EventRow>({
    text: `select n, type, subject, body, at from event
      where tenant_id = $1 and ($2::text is null or subject = $2) and ($3::bigint is null or n < $3) order by n desc limit $4`,
    values: [tenant, query.subject, query.before, query.limit],
  });
  return rows.map(({ n, type, subject, body, at }) => ({
    ...{ n, type, subject },
    at: utcText(at),
    facts: JSON.parse(body) as EventView["facts"],
  }));
}

/** A condition that says another status or reason than before, as it says it now. */
export const conditionEvent = (condition: {
  readonly kind: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedRevision: string | null;
}): NewEvent => {
  const { kind, name, observedRevision, ...said } = condition;
  const facts = { ...said, ...(observedRevision === null ? {} : { revision: observedRevision }) };
  return { type: "condition", subject: `${kind.toLowerCase()}/${name}`, body: canonicalText(facts) };
};
