import pg, { type ClientConfig, type CustomTypesConfig } from "pg";
import type { Logger } from "../telemetry/index.ts";
import type { Connection, Row, Statement } from "./database.ts";
import { databaseFault } from "./database-fault.ts";

/** Where and as whom to connect. */
export type Target = Pick<ClientConfig, "connectionString" | "host" | "port" | "user" | "database" | "options" | "ssl">;

const int8 = pg.types.builtins.INT8;

// Per client, never global: another library in this process may want its own.
const types: CustomTypesConfig = {
  getTypeParser: (oid: Parameters<typeof pg.types.getTypeParser>[0], format?: "text" | "binary") =>
    oid === int8 && format !== "binary"
      ? safeInteger
      : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`integer beyond 2^53: ${text}`);
  return value;
}

const guards: ClientConfig = {
  connectionTimeoutMillis: 5000,
  statement_timeout: 15_000,
  lock_timeout: 3000,
  idle_in_transaction_session_timeout: 60_000,
  keepAlive: true,
};

/** Settings of every connection of the daemon. */
export function clientConfig(target: Target, name: string): ClientConfig {
  return { ...guards, ...target, application_name: `orrery ${name}`, types };
}

/** A connection of its own. A failure while it is idle is logged; the next statement meets it as a Fault. */
export async function openConnection(
  config: ClientConfig,
  log: Logger,
): Promise<Connection & { readonly raw: pg.Client }> {
  const raw = new pg.Client(config);
  // Without a listener a server restart would kill the daemon.
  raw.on("error", (error) => log.warn({ reason: error.message }, "database connection lost"));
  try {
    await raw.connect();
  } catch (error) {
    await raw.end().catch(() => undefined);
    throw databaseFault(error);
  }
  return {
    raw,
    query: (statement) => ask(raw, statement),
    destroy: () => destroy(raw),
  };
}

/** Runs one statement and answers its rows; the one door through which foreign errors come. */
export async function ask<R extends Row>(
  client: pg.ClientBase,
  { text, values, name }: Statement,
): Promise<readonly R[]> {
  try {
    const result = await client.query<R>({
      text,
      ...(values ? { values: [...values] } : {}),
      ...(name ? { name } : {}),
    });
    return result.rows;
  } catch (error) {
    throw databaseFault(error);
  }
}

// end() waits for the statement in flight, and for ever on a dead peer.
async function destroy(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  const ended = client.end().catch(() => undefined);
  stream.destroy();
  await ended;
}
