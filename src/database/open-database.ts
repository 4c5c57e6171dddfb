import pg, { type ClientConfig } from "pg";
import { type Clock, Fault } from "../base/index.ts";
import type { Logger } from "../telemetry/index.ts";
import { clientConfig, openConnection, type Target } from "./client.ts";
import type { Connection, Database } from "./database.ts";
import { startEmbeddedServer } from "./embedded/index.ts";
import { checkServer } from "./fitness.ts";
import { migrate, migrationsDir, readMigrations } from "./migrate.ts";
import { ensureRoles } from "./roles.ts";
import { runTransaction } from "./transaction.ts";

export interface DatabaseConfig {
  /** null = the embedded server. */
  readonly url: string | null;
  readonly dataDir: string;
  /** Short directory for the embedded server's socket. */
  readonly runDir: string;
}

export interface DatabaseDeps {
  readonly log: Logger;
  readonly clock: Pick<Clock, "now">;
}

/** As whom: `admin` may become orrery_owner, `app` is what the daemon's queries run as. */
export interface DatabaseTargets {
  readonly kind: "embedded" | "external";
  readonly admin: Target;
  readonly app: Target;
  /** False only for tests: fsync off is accepted. */
  readonly durable: boolean;
}

const poolSize = 6;

/** Starts or finds the server, migrates it, makes the partitions around now, opens the pool. */
export async function openDatabase(config: DatabaseConfig, deps: DatabaseDeps): Promise<Database> {
  if (config.url !== null) return connectDatabase(externalTargets(config.url), deps);
  const server = await startEmbeddedServer(config, deps.log);
  try {
    await ensureDatabase(embeddedTarget(server.socketDir, "postgres", "postgres"), deps.log);
    const database = await connectDatabase(embeddedTargets(server.socketDir), deps);
    const close = async (): Promise<void> => {
      await database.close();
      await server.stop();
    };
    return { ...database, close };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Migrates and opens a database of a server that runs. */
export async function connectDatabase(targets: DatabaseTargets, deps: DatabaseDeps): Promise<Database> {
  const major = await withAdmin(targets, deps.log, async (admin) => {
    const found = await checkServer(admin, { durable: targets.durable, app: false });
    await ensureRoles(admin);
    await migrate(admin, readMigrations(migrationsDir()), deps.log);
    await makePartitions(admin, deps.clock.now());
    return found;
  });
  const app = await openConnection(appConfig(targets, "check"), deps.log);
  try {
    await checkServer(app, { durable: false, app: true });
  } finally {
    await app.destroy();
  }
  return pooledDatabase(targets, major, deps.log);
}

function pooledDatabase(targets: DatabaseTargets, major: number, log: Logger): Database {
  const pool = new pg.Pool({ ...appConfig(targets, "pool"), max: poolSize });
  let closing = false;
  pool.on("error", (error) => {
    // The server may go down while the last sockets still close. The driver hangs its whole client onto the error.
    if (!closing) log.warn({ reason: error.message }, "idle database connection lost");
  });
  // One that is checked out tells its failure to its own listeners; without one it would end the daemon.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    server: { kind: targets.kind, major },
    withTenant: (tenant, work) => runTransaction(pool, tenant, work),
    transaction: (work, options) => runTransaction(pool, null, work, options),
    connect: (name) => openConnection(appConfig(targets, name), log),
    makePartitions: (now) => withAdmin(targets, log, (admin) => makePartitions(admin, now)),
    clockSkewMs: async (now) => {
      const sent = now().getTime();
      const [row] = await runTransaction(pool, null, (session) =>
        session.query<{ now: Date }>({ text: "select clock_timestamp() as now" }),
      );
      // The answer was made somewhere between the two readings: a slow one must not look like a wrong clock.
      const heard = now().getTime();
      const skewMs = (row?.now.getTime() ?? 0) - (sent + heard) / 2;
      return Math.sign(skewMs) * Math.max(0, Math.abs(skewMs) - Math.abs(heard - sent) / 2);
    },
    close: () => {
      closing = true;
      return pool.end();
    },
  };
}

// In the start-up message: a setting that a statement made could be reset, and pools share connections.
function appConfig({ app }: DatabaseTargets, name: string): ClientConfig {
  return clientConfig({ ...app, options: `${app.options ?? ""} -c search_path=orrery,pg_temp`.trim() }, name);
}

async function withAdmin<T>(
  targets: DatabaseTargets,
  log: Logger,
  work: (admin: Connection) => Promise<T>,
): Promise<T> {
  const admin = await openConnection(clientConfig(targets.admin, "owner"), log);
  try {
    return await work(admin);
  } finally {
    await admin.destroy();
  }
}

const partitionsAhead = 2;

async function makePartitions(admin: Connection, now: Date): Promise<number> {
  await admin.query({ text: "begin; set local role orrery_owner; set local search_path = orrery, pg_temp" });
  try {
    const [row] = await admin.query<{ made: number }>({
      text: "select make_partitions($1, $2) as made",
      values: [now, partitionsAhead],
    });
    await admin.query({ text: "commit" });
    return row?.made ?? 0;
  } catch (error) {
    await admin.query({ text: "rollback" }).catch(() => undefined);
    throw error;
  }
}

async function ensureDatabase(target: Target, log: Logger): Promise<void> {
  const admin = await openConnection(clientConfig(target, "owner"), log);
  try {
    const found = await admin.query({ text: "select 1 from pg_database where datname = 'orrery'" });
    if (found.length === 0) await admin.query({ text: "create database orrery" });
  } finally {
    await admin.destroy();
  }
}

function externalTargets(url: string): DatabaseTargets {
  // What stands in the URL wins over what we set, and the role must be ours.
  if (/[?&]options=/.test(url)) throw new Fault("DATABASE_UNFIT", "DATABASE_URL must not set options");
  const admin: Target = { connectionString: url };
  return { kind: "external", admin, app: { ...admin, options: "-c role=orrery_app" }, durable: true };
}

function embeddedTargets(socketDir: string): DatabaseTargets {
  return {
    kind: "embedded",
    admin: embeddedTarget(socketDir, "postgres", "orrery"),
    app: embeddedTarget(socketDir, "orrery_app", "orrery"),
    durable: true,
  };
}

function embeddedTarget(host: string, user: string, database: string): Target {
  return { host, port: 5432, user, database };
}
