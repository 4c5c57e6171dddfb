import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../base/index.ts";
import type { Logger } from "../telemetry/index.ts";
import type { Connection } from "./database.ts";

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** "orrery" in ASCII: the one lock of everybody who makes roles, schema or tables. */
export const migrationLock = "122567394783865";

/** migrations/ of the package, the same from src/ and from dist/. */
export function migrationsDir(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, "package.json"))) {
    if (at === dirname(at)) throw new Fault("DATABASE_UNFIT", "the package has no migrations directory");
    at = dirname(at);
  }
  return join(at, "migrations");
}

/** Every `NNNN_name.sql`, in order. */
export function readMigrations(directory: string): readonly Migration[] {
  return readdirSync(directory)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(directory, name), "utf8");
      return { name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
    });
}

/**
 * Applies what is not applied yet, each file in its own transaction, forward only, as orrery_owner. Faults
 * MIGRATION_CHANGED (an applied file was edited) and DATABASE_UNFIT (the database is ahead of this version, or a file
 * was slipped in below an applied one). Answers the names applied now.
 */
export async function migrate(
  admin: Connection,
  migrations: readonly Migration[],
  log: Logger,
): Promise<readonly string[]> {
  await admin.query({ text: "set statement_timeout = 0; set lock_timeout = 0" });
  // Waits for another daemon that migrates; held by the session, so it also ends with it.
  await admin.query({ text: `select pg_advisory_lock(${migrationLock})` });
  try {
    await admin.query({
      text: `set role orrery_owner; set search_path = orrery; set lock_timeout = '3s';
        create table if not exists migration (name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
    });
    const applied = await admin.query<{ name: string; sha256: string }>({
      text: "select name, sha256 from migration order by name",
    });
    const pending = pendingOf(migrations, applied);
    for (const migration of pending) await applyOne(admin, migration, log);
    return pending.map((migration) => migration.name);
  } finally {
    await admin.query({ text: `reset role; reset search_path; select pg_advisory_unlock(${migrationLock})` });
  }
}

/** What is still to apply; pure. */
export function pendingOf(
  migrations: readonly Migration[],
  applied: readonly { readonly name: string; readonly sha256: string }[],
): readonly Migration[] {
  for (const [place, row] of applied.entries()) {
    const file = migrations.find((migration) => migration.name === row.name);
    if (file === undefined) {
      throw new Fault(
        "DATABASE_UNFIT",
        `the database has migration ${row.name}, which this version lacks: use a newer Orrery`,
      );
    }
    if (file.sha256 !== row.sha256)
      throw new Fault("MIGRATION_CHANGED", `${row.name} differs from the one that was applied`);
    if (migrations[place] !== file) {
      throw new Fault("DATABASE_UNFIT", `migration ${migrations[place]?.name ?? ""} comes before applied ${row.name}`);
    }
  }
  return migrations.slice(applied.length);
}

async function applyOne(admin: Connection, { name, sql, sha256 }: Migration, log: Logger): Promise<void> {
  await admin.query({ text: "begin" });
  try {
    await admin.query({ text: sql });
    await admin.query({ text: "insert into migration (name, sha256) values ($1, $2)", values: [name, sha256] });
    await admin.query({ text: "commit" });
  } catch (error) {
    await admin.query({ text: "rollback" }).catch(() => undefined);
    throw error;
  }
  log.info({ migration: name }, "migration applied");
}
