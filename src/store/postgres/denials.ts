import type { CodeName } from "../../base/index.ts";
import type { Session } from "../../database/index.ts";
import type { AdmissionRequest } from "../admission-store.ts";

/**
 * The first denial of a (dagId, code, subject) and minute is a body at once, all others of that minute are one body with
 * a count: strangers cannot grow the branch. The transaction acts as the tenant.
 */
export async function countDenial(session: Session, item: AdmissionRequest, code: CodeName): Promise<void> {
  if (item.denial === null) return;
  const first = item.denial(code, 1);
  const place = await placeInMinute(session, item.tenant, first.recordId);
  if (place === 1) {
    await insertDenial(session, item, first);
    return;
  }
  if (place === 2) {
    await insertDenial(session, item, item.denial(code, 2), { count: 1, minute: `${item.now.slice(0, 16)}:00.000Z` });
    return;
  }
  await session.query({
    // A row that a batch took has ended its minute: what comes this late is not counted.
    text: "update outbox set count = count + 1 where tenant_id = $1 and record_id = $2 and batch is null",
    values: [item.tenant, item.denial(code, 2).recordId],
  });
}

/** A counter, since the first body may be sealed and gone before the second denial comes. */
async function placeInMinute(session: Session, tenant: string, firstRecordId: string): Promise<number> {
  const [row] = await session.query<{ value: number }>({
    text: `insert into counter as c (tenant_id, name, value) values ($1, $2, 1)
      on conflict (tenant_id, name) do update set value = c.value + 1, touched = now() returning value`,
    values: [tenant, firstRecordId.replace(/\/1$/, "")],
  });
  return row?.value ?? 1;
}

async function insertDenial(
  session: Session,
  { tenant, dagId }: AdmissionRequest,
  body: { readonly recordId: string; readonly bodyText: string },
  rest: { readonly count: number | null; readonly minute: string | null } = { count: null, minute: null },
): Promise<void> {
  await session.query({
    text: `insert into outbox (tenant_id, record_id, kind, dag_id, body, count, minute) values ($1, $2, 'denial', $3, $4, $5, $6)`,
    values: [tenant, body.recordId, dagId, body.bodyText, rest.count, rest.minute],
  });
}
