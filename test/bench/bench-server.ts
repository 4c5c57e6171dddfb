import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { systemClock } from "../../src/base/index.ts";
import { connectDatabase, type Database, startEmbeddedServer } from "../../src/database/index.ts";
import { silentLog } from "../support/silent-log.ts";

export interface BenchServer extends AsyncDisposable {
  readonly scratch: string;
  /** A migrated database of ours on the server. */
  readonly database: Database;
  /** Connection string of another database on the same server, for a peer. */
  peerUrl(name: string): Promise<string>;
}

/** One server for all, fsync and synchronous_commit on; a bench that lost them would compare nothing. */
export async function openBenchServer(): Promise<BenchServer> {
  const scratch = mkdtempSync("/tmp/orrery-bench-");
  const server = await startEmbeddedServer(
    { dataDir: path.join(scratch, "db"), runDir: path.join(scratch, "r") },
    silentLog,
  );
  const host = server.socketDir;
  await withClient(host, "postgres", async (client) => {
    for (const setting of ["fsync", "synchronous_commit", "full_page_writes"]) {
      const [row] = (await client.query<Record<string, string>>(`show ${setting}`)).rows;
      if (row?.[setting] !== "on") throw new Error(`${setting} is not on`);
    }
    await client.query("create database orrery");
  });
  const target = (user: string) => ({ host, port: 5432, user, database: "orrery" });
  const database = await connectDatabase(
    { kind: "embedded", admin: target("postgres"), app: target("orrery_app"), durable: true },
    { log: silentLog, clock: systemClock },
  );
  return {
    scratch,
    database,
    peerUrl: async (name) => {
      await withClient(host, "postgres", (client) => client.query(`create database ${name}`));
      return `postgres://postgres@localhost/${name}?host=${encodeURIComponent(host)}`;
    },
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await server.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

async function withClient<T>(host: string, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ host, port: 5432, user: "postgres", database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
