import { Fault } from "../base/index.ts";
import type { Connection } from "./database.ts";

const oldestMajor = 15;

interface Facts {
  readonly [key: string]: unknown;
  readonly version: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly name: string;
  readonly super: boolean;
  readonly bypass: boolean;
}

/**
 * Refuses a server or role that cannot keep our promises, naming every fact at once: PostgreSQL 15 or newer, UTF8,
 * durable commits, and a role that row-level security holds. Answers the major version.
 */
export async function checkServer(
  connection: Connection,
  options: { readonly durable: boolean; readonly app: boolean },
): Promise<number> {
  const [facts] = await connection.query<Facts>({
    text: `select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
      session_user::text as name, bool_or(r.rolsuper) as super, bool_or(r.rolbypassrls) as bypass
      from pg_roles r where r.rolname in (current_user, session_user)`,
  });
  if (facts === undefined) throw new Fault("DATABASE_UNFIT", "the role of this connection is not in pg_roles");
  const wrong = options.app ? wrongRole(facts) : wrongServer(facts, options.durable);
  if (wrong.length > 0) throw new Fault("DATABASE_UNFIT", wrong.join("; "));
  return majorOfVersion(facts.version);
}

const majorOfVersion = (version: number): number => Math.floor(version / 10_000);

function wrongServer(facts: Facts, durable: boolean): string[] {
  const wrong: string[] = [];
  const major = majorOfVersion(facts.version);
  if (major < oldestMajor) wrong.push(`PostgreSQL ${String(major)} is older than ${String(oldestMajor)}`);
  if (facts.encoding !== "UTF8") wrong.push(`the encoding is ${facts.encoding}, not UTF8`);
  if (durable && facts.fsync !== "on") wrong.push("fsync is off: a power cut would lose committed runs");
  if (durable && facts.synchronous_commit === "off") {
    wrong.push("synchronous_commit is off: an outcome would not be durable when its step's dependants start");
  }
  return wrong;
}

function wrongRole(facts: Facts): string[] {
  const wrong: string[] = [];
  if (facts.super) wrong.push(`role ${facts.name} is a superuser: row-level security would not hold it`);
  if (facts.bypass) wrong.push(`role ${facts.name} has BYPASSRLS: row-level security would not hold it`);
  return wrong;
}
