import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/test-database.ts";

let db: TestDatabase;
let tables: readonly string[];

// A row of each tenant in every table, made behind the walls: columns that must hold something get something.
beforeAll(async () => {
  db = await createTestDatabase();
  tables = (
    await db.admin<{
      name: string;
    }>(`select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relnamespace = 'orrery'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`)
  ).map((row) => row.name);
  for (const table of tables) {
    const columns = await db.admin<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, null) as type from pg_attribute
        where attrelid = ('orrery.' || $1)::regclass and attnum > 0 and attnotnull and not atthasdef and attname <> 'tenant_id'`,
      [table],
    );
    for (const tenant of ownersOf(table)) {
      const names = ["tenant_id", ...columns.map((column) => column.name)];
      const values = [`'${tenant}'`, ...columns.map(valueOf)];
      await db.admin(
        `set session_replication_role = replica; insert into ${table} (${names.join(", ")}) values (${values.join(", ")})`,
      );
    }
  }
});
afterAll(() => db[Symbol.asyncDispose]());

const siteTables = new Set(["site", "worker", "lease", "batch"]);
const ownersOf = (table: string): readonly string[] => (siteTables.has(table) ? ["_site"] : ["acme", "globex"]);

const words: Readonly<Record<string, string>> = {
  status: "'failed'",
  overlap: "'queue'",
  trusted_by: "'pinned'",
  state: "'prepared'",
};

function valueOf({ name, type }: { readonly name: string; readonly type: string }): string {
  if (words[name] !== undefined) return words[name];
  if (type === "bytea") return `'\\x${"00".repeat(32)}'`;
  if (type.startsWith("timestamp")) return "now()";
  if (type === "uuid") return "first_run_id(now())";
  if (type === "boolean") return "true";
  if (type.endsWith("[]")) return "'{}'";
  return type === "text" ? "'x'" : "1";
}

describe("row-level security", () => {
  it("covers every working and ledger table of DESIGN law 5", () => {
    expect(tables).toEqual(
      [
        ...[
          "run_live",
          "step_live",
          "worker",
          "tenant",
          "counter",
          "lease",
          "watermark",
          "skip_live",
          "condition",
          "event",
        ],
        ...["blob", "outbox", "batch", "dag", "site", "dag_version", "plugin_version", "approval", "suspension"],
        ...["run", "attempt", "output", "record", "run_key"],
      ].sort(),
    );
  });

  it("is forced on every table and partition", async () => {
    const open =
      await db.admin(`select relname from pg_class where relnamespace = 'orrery'::regnamespace and relkind in ('r', 'p')
      and relname <> 'migration' and not (relrowsecurity and relforcerowsecurity)`);

    expect(open).toEqual([]);
  });

  it("shows a tenant its own rows of every table and no other's", async () => {
    for (const table of tables) {
      const tenant = siteTables.has(table) ? "_site" : "acme";
      const seen = await db.database.withTenant(tenant, (session) =>
        session.query({ text: `select distinct tenant_id from ${table}` }),
      );
      expect([table, seen]).toEqual([table, [{ tenant_id: tenant }]]);
    }
  });

  it("shows no row where no tenant is set, nor after a transaction that had one", async () => {
    await db.as("orrery_app", async (client) => {
      const count = async (): Promise<unknown> => (await client.query("select count(*)::int as n from run")).rows[0];
      expect(await count()).toEqual({ n: 0 });
      await client.query("begin; select set_config('orrery.tenant', 'acme', true)");
      expect(await count()).toEqual({ n: 1 });
      await client.query("commit");
      expect(await count()).toEqual({ n: 0 });
    });
  });

  it("refuses another tenant's name in what a tenant writes", async () => {
    for (const table of tables.filter((name) => !siteTables.has(name) && !readOnly.has(name))) {
      const moved = db.database.withTenant("acme", (session) =>
        session.query({
          text: `insert into ${table} select * from jsonb_populate_record((select t from ${table} t), '{"tenant_id": "globex"}')`,
        }),
      );
      await expect(moved, table).rejects.toMatchObject({ code: "INTERNAL", cause: { code: "42501" } });
    }
  });

  it("neither changes nor deletes another tenant's rows", async () => {
    for (const table of tables.filter((name) => !siteTables.has(name) && !ledger.has(name))) {
      const touched = await db.database.withTenant("acme", async (session) => [
        await session.query({
          text: `update ${table} set tenant_id = tenant_id where tenant_id = 'globex' returning 1`,
        }),
        await session.query({ text: `delete from ${table} where tenant_id = 'globex' returning 1` }),
      ]);
      expect([table, touched]).toEqual([table, [[], []]]);
    }
  });

  it("lets nobody name a partition", async () => {
    const partitions = await db.admin<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'orrery'::regnamespace and relispartition and relkind = 'r'",
    );
    expect(partitions.length).toBeGreaterThanOrEqual(12);
    for (const { name } of partitions) {
      for (const role of ["orrery_app", "orrery_cross"] as const) {
        await expect(db.as(role, (client) => client.query(`select * from orrery.${name}`))).rejects.toMatchObject({
          code: "42501",
        });
      }
    }
  });

  it("refuses a reference to another tenant's row", async () => {
    await db.admin(
      "insert into dag (tenant_id, dag_id, spec_hash, armed, suspended, concurrency_max, overlap) values ('globex', 'theirs', 'h', true, false, 1, 'queue')",
    );

    const pointed = db.database.withTenant("acme", (session) =>
      session.query({
        text: "insert into watermark (tenant_id, dag_id, schedule, slot) values ('acme', 'theirs', 's', now())",
      }),
    );

    await expect(pointed).rejects.toMatchObject({ code: "DATABASE_CONTENT" });
  });

  it("gives the owner no row either", async () => {
    for (const table of tables) {
      const seen = await db.as(
        "orrery_owner",
        async (client) => (await client.query<object>(`select * from ${table}`)).rows,
      );
      expect([table, seen]).toEqual([table, []]);
    }
  });

  it("is not bypassed by any role, view or function outside the closed list", async () => {
    const roles = await db.admin(
      "select rolname from pg_roles where rolname ~ '^orrery_' and (rolsuper or rolbypassrls)",
    );
    const views = await db.admin(
      "select relname from pg_class where relnamespace = 'orrery'::regnamespace and relkind in ('v', 'm')",
    );
    const definers = await db.admin<{ proname: string; owner: string; config: readonly string[]; open: boolean }>(
      `select proname, pg_get_userbyid(proowner) as owner, proconfig as config, has_function_privilege('public', oid, 'execute') as open
        from pg_proc where pronamespace = 'orrery'::regnamespace and prosecdef order by proname`,
    );

    expect([roles, views]).toEqual([[], []]);
    expect(definers.map((row) => row.proname)).toEqual([
      "admit",
      "drain",
      "due_slots",
      "promote",
      "rescue",
      "seal",
      "sweep",
      "tick",
    ]);
    for (const row of definers) {
      expect(row).toMatchObject({ owner: "orrery_cross", open: false });
      expect(row.config).toContain("search_path=orrery, pg_temp");
    }
  });

  it("refuses a tenant name that is none before it reaches SQL", async () => {
    for (const name of ["", "Acme", "a'; drop table run; --", "-a", "_other", "a".repeat(64)]) {
      await expect(db.database.withTenant(name, () => Promise.resolve())).rejects.toMatchObject({ code: "INTERNAL" });
    }
  });
});

const ledger = new Set(["dag_version", "plugin_version", "approval", "run_key", "run", "attempt", "output", "record"]);
// Written by functions of the closed list alone.
const readOnly = new Set(["run_key", "attempt", "output", "record"]);

describe("ledger tables", () => {
  it("take no update, delete or truncate from any role, by parent or partition", async () => {
    const names = await db.admin<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'orrery'::regnamespace and relkind in ('r', 'p') and relname ~ '^(dag_version|plugin_version|approval|run_key|run|attempt|output|record)(_\\d{4}_\\d\\d)?$'",
    );
    expect(names.length).toBeGreaterThanOrEqual(18);
    for (const { name } of names) {
      for (const statement of [
        `update ${name} set tenant_id = 'x'`,
        `delete from ${name}`,
        `truncate ${name} cascade`,
      ]) {
        for (const role of ["orrery_app", "orrery_cross", "orrery_owner"] as const) {
          const attack = db.as(role, (client) => client.query(statement));
          await expect(attack, `${role}: ${statement}`).rejects.toMatchObject({
            code: role === "orrery_owner" ? "OR003" : "42501",
          });
        }
      }
    }
  });

  it("stop even a superuser's slip", async () => {
    await expect(db.admin("delete from run")).rejects.toMatchObject({ code: "OR003" });
  });
});
