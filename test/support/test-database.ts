import { randomBytes } from "node:crypto";
import type pg from "pg";
import { inject } from "vitest";
import { type Clock, systemClock } from "../../src/base/index.ts";
import { connectDatabase, type Database, type DatabaseTargets } from "../../src/database/index.ts";
import { targetsOf, templateName, withClient, withServer } from "./postgres-targets.ts";
import { silentLog } from "./silent-log.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly targets: DatabaseTargets;
  /** Runs one statement as superuser: to look behind the walls, or to break something. */
  admin<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  /** Runs `work` on a raw connection of a role. */
  as<T>(role: "orrery_app" | "orrery_owner" | "orrery_cross", work: (client: pg.Client) => Promise<T>): Promise<T>;
}

/**
 * A migrated database of its own, cloned from the run's template. Its partitions lie around the real now and around
 * `clock`'s. `await using db = await createTestDatabase()`.
 */
export async function createTestDatabase({
  clock = systemClock,
}: {
  readonly clock?: Pick<Clock, "now">;
} = {}): Promise<TestDatabase> {
  const host = inject("postgresSocket");
  const name = `orrery_test_${randomBytes(6).toString("hex")}`;
  await cloneTemplate(host, name);
  const targets = targetsOf(host, name);
  const database = await connectDatabase(targets, { log: silentLog, clock });
  return {
    database,
    targets,
    admin: (text, values = []) =>
      withClient(targets.admin, async (client) => {
        await client.query("set search_path = orrery");
        return (await client.query(text, [...values])).rows as never[];
      }),
    as: (role, work) =>
      withClient(targets.admin, async (client) => {
        await client.query(`set search_path = orrery; set session authorization ${role}`);
        return await work(client);
      }),
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await withServer(host, (admin) => admin.query(`drop database ${name} with (force)`));
    },
  };
}

async function cloneTemplate(host: string, name: string): Promise<void> {
  await withServer(host, async (admin) => {
    // Two clones at once find the template in use.
    await admin.query("select pg_advisory_lock(1869771379)");
    await admin.query(`create database ${name} template ${templateName}`);
  });
}
