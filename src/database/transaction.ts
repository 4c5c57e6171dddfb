import pg from "pg";
import { Fault } from "../base/index.ts";
import { ask } from "./client.ts";
import type { Session, TransactionOptions } from "./database.ts";
import { databaseFault } from "./database-fault.ts";

const tenantName = /^(?:_site|[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;

/** One transaction on one connection of the pool; `tenant` null sees no row until it acts as one. */
export async function runTransaction<T>(
  pool: pg.Pool,
  tenant: string | null,
  work: (session: Session) => Promise<T>,
  { isolation = "read committed" }: TransactionOptions = {},
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw databaseFault(error);
  });
  let broken: Error | undefined;
  try {
    // One round trip of two statements; the name is checked, so that it may stand in the text.
    const act = tenant === null ? "" : `; select set_config('orrery.tenant', '${checked(tenant)}', true)`;
    await ask(client, { text: `begin isolation level ${isolation}${act}` });
    const answer = await work({
      query: (statement) => ask(client, statement),
      actAs: async (name) => {
        await ask(client, { text: "select set_config('orrery.tenant', $1, true)", values: [checked(name)] });
      },
    });
    await ask(client, { text: "commit" });
    return answer;
  } catch (error) {
    const fault = databaseFault(error);
    if (!(await rolledBack(client, fault))) broken = fault;
    throw error;
  } finally {
    client.release(broken);
  }
}

/** False where the connection is of no more use: the pool must not hand it out again. */
async function rolledBack(client: pg.ClientBase, fault: Fault): Promise<boolean> {
  if (fault.code === "DATABASE_UNAVAILABLE") return false;
  return client.query("rollback").then(
    () => true,
    () => false,
  );
}

function checked(tenant: string): string {
  if (!tenantName.test(tenant)) throw new Fault("INTERNAL", "not the name of a tenant", { cause: new Error(tenant) });
  return tenant;
}
