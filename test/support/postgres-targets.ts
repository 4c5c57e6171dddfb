import pg from "pg";
import type { DatabaseTargets } from "../../src/database/index.ts";

export const templateName = "orrery_template";

/** Targets of one database of the test server; `port` is part of the socket's name. */
export function targetsOf(host: string, database: string): DatabaseTargets {
  return {
    kind: "embedded",
    admin: { host, port: 5432, user: "postgres", database },
    app: { host, port: 5432, user: "orrery_app", database },
    durable: false,
  };
}

/** Runs `work` as superuser on the server's own database. */
export async function withServer<T>(host: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  return withClient({ host, port: 5432, user: "postgres", database: "postgres" }, work);
}

export async function withClient<T>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(config);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
