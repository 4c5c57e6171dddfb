import { utcText } from "../../base/index.ts";
import type { Database, Row, Session } from "../../database/index.ts";
import type { Suspension, SuspensionStore } from "../suspension-store.ts";
import { insertBody } from "./outbox-row.ts";

export function createSuspensionStore(database: Database): SuspensionStore {
  return {
    list: (tenant) => database.withTenant(tenant, (session) => readSuspensions(session, tenant)),
    suspend: (tenant, suspension, record) =>
      database.withTenant(tenant, async (session) => {
        const { dagId, reason, ticket, subject, since, until } = suspension;
        await session.query({
          text: `insert into suspension (tenant_id, dag_id, reason, ticket, subject, since, until) values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (tenant_id, dag_id) do update set reason = excluded.reason, ticket = excluded.ticket,
              subject = excluded.subject, since = excluded.since, until = excluded.until`,
          values: [tenant, dagId ?? "", reason, ticket, subject, since, until],
        });
        await insertBody(session, tenant, record);
      }),
    end: (tenant, dagId, record) =>
      database.withTenant(tenant, async (session) => {
        const ended = await session.query({
          text: "delete from suspension where tenant_id = $1 and dag_id = $2 returning dag_id",
          values: [tenant, dagId ?? ""],
        });
        if (ended.length > 0) await insertBody(session, tenant, record);
        return ended.length > 0;
      }),
  };
}

interface SuspensionRow extends Row {
  readonly dag_id: string;
  readonly reason: string;
  readonly ticket: string;
  readonly subject: string;
  readonly since: Date;
  readonly until: Date;
}

/** In the transaction of who plans with them. */
export async function readSuspensions(session: Session, tenant: string): Promise<readonly Suspension[]> {
  const rows = await session.query<SuspensionRow>({
    text: "select dag_id, reason, ticket, subject, since, until from suspension where tenant_id = $1 order by dag_id",
    values: [tenant],
  });
  return rows.map(({ dag_id, since, until, ...rest }) => ({
    ...{ dagId: dag_id === "" ? null : dag_id, ...rest },
    ...{ since: utcText(since), until: utcText(until) },
  }));
}
