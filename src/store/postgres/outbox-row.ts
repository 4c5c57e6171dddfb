import type { Session } from "../../database/index.ts";
import type { OutboxBody } from "../revision-store.ts";

/** Puts a body into the outbox of the tenant that the transaction acts as. */
export async function insertBody(session: Session, tenant: string, body: OutboxBody): Promise<void> {
  await session.query({
    text: "insert into outbox (tenant_id, record_id, kind, dag_id, run_id, body) values ($1, $2, $3, $4, $5, $6)",
    values: [tenant, body.recordId, body.kind, body.dagId, body.runId, body.bodyText],
  });
}
