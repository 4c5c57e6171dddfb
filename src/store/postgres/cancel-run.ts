import type { Database, Session } from "../../database/index.ts";
import type { CancelAnswer, CancelRunRequest } from "../admission-store.ts";
import { isUuid } from "./column-codec.ts";
import { endQueuedRuns, lockTenant, promote } from "./queued-runs.ts";

/** Ends a queued run at once; asks the worker of a running one. Asking twice keeps the first who asked. */
export async function cancelRun(database: Database, request: CancelRunRequest): Promise<CancelAnswer> {
  if (!isUuid(request.runId)) return { kind: "unknown" };
  return database.withTenant(request.tenant, async (session) => {
    await lockTenant(session, request.tenant);
    const ended = await endQueuedRuns(
      session,
      { where: "l.run_id = $1", values: [request.runId] },
      { tenant: request.tenant, bodyOf: request.bodyOf, now: request.now },
    );
    if (ended > 0) {
      await promote(session, request.tenant, request.now);
      return { kind: "cancelled" };
    }
    return (await askToEnd(session, request)) ? { kind: "asked" } : await fateOf(session, request);
  });
}

async function askToEnd(session: Session, { tenant, runId, actor, rationale }: CancelRunRequest): Promise<boolean> {
  const asked = await session.query({
    text: `update run_live set cancel = coalesce(cancel, $3) where tenant_id = $1 and run_id = $2 and state <> 'queued'
      returning run_id`,
    values: [tenant, runId, JSON.stringify({ actor, rationale })],
  });
  return asked.length > 0;
}

async function fateOf(session: Session, { tenant, runId }: CancelRunRequest): Promise<CancelAnswer> {
  const found = await session.query({
    text: "select 1 from run where tenant_id = $1 and run_id = $2",
    values: [tenant, runId],
  });
  return { kind: found.length > 0 ? "finished" : "unknown" };
}
