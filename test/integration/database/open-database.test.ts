import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import {
  connectDatabase,
  type EmbeddedServer,
  openDatabase,
  startEmbeddedServer,
} from "../../../src/database/index.ts";
import { withServer } from "../../support/postgres-targets.ts";
import { silentLog } from "../../support/silent-log.ts";
import { createTestDatabase } from "../../support/test-database.ts";

const migrations = new URL("../../../migrations", import.meta.url);
const deps = { log: silentLog, clock: systemClock };
let directory: string;
let server: EmbeddedServer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "orrery-foreign-"));
  server = await startEmbeddedServer({ dataDir: join(directory, "data"), runDir: join(directory, "run") }, silentLog);
  await withServer(server.socketDir, async (admin) => {
    await admin.query(
      "create role site_admin login createrole; create role bystander login; create role bypasser login createrole bypassrls",
    );
    for (const name of ["fit", "unfit"]) await admin.query(`create database ${name} owner site_admin`);
    await admin.query("create database latin encoding 'LATIN1' locale 'C' template template0 owner site_admin");
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const urlOf = (user: string, database: string, socket = server.socketDir): string =>
  `postgres://${user}@/${database}?host=${encodeURIComponent(socket)}&port=5432`;
const open = (url: string) => openDatabase({ url, dataDir: "unused", runDir: "unused" }, deps);

describe("DATABASE_URL", () => {
  it("serves with a role that may make roles, held to one tenant like the embedded one", async () => {
    const database = await open(urlOf("site_admin", "fit"));

    const seen = await database.withTenant("acme", (session) =>
      session.query({ text: "select current_user::text as who, count(*) as n from tenant" }),
    );

    await database.close();
    expect(database.server).toEqual({ kind: "external", major: 18 });
    expect(seen).toEqual([{ who: "orrery_app", n: 0 }]);
    const again = await open(urlOf("site_admin", "fit"));
    await again.close();
  });

  it("is refused, with every fact by name, where the server cannot keep a promise", async () => {
    const refused = async (url: string): Promise<string> => {
      const error: unknown = await open(url).then(
        (database) => database.close(),
        (fault: unknown) => fault,
      );
      expect(error).toMatchObject({ code: "DATABASE_UNFIT" });
      return (error as Error).message;
    };

    expect(await refused(urlOf("postgres", "unfit"))).toContain("superuser");
    expect(await refused(urlOf("bypasser", "fit"))).toContain("orrery_owner");
    expect(await refused(urlOf("bystander", "fit"))).toContain("CREATEROLE");
    expect(await refused(urlOf("site_admin", "latin"))).toContain("LATIN1");
    expect(await refused(urlOf("postgres", "postgres", inject("postgresSocket")))).toContain("fsync is off");
    expect(await refused(`${urlOf("site_admin", "fit")}&options=-c%20role%3Dpostgres`)).toContain("options");
  });

  it("is unavailable, not unfit, where nobody answers", async () => {
    await expect(open("postgres://x@127.0.0.1:1/x")).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
  });
});

describe("migrations", () => {
  it("refuse an edited file, and a database that is ahead", async () => {
    await using db = await createTestDatabase();
    const [first] = await db.admin<{ name: string; sha256: string }>(
      "select name, sha256 from migration order by name limit 1",
    );

    await db.admin("update migration set sha256 = 'x' where name = $1", [first?.name]);
    await expect(connectDatabase(db.targets, deps)).rejects.toMatchObject({ code: "MIGRATION_CHANGED" });
    await db.admin("update migration set sha256 = $1 where name = $2", [first?.sha256, first?.name]);
    await db.admin("insert into migration (name, sha256) values ('9999_future.sql', 'x')");
    await expect(connectDatabase(db.targets, deps)).rejects.toMatchObject({ code: "DATABASE_UNFIT" });
  });

  it("are applied once by two daemons that start together", async () => {
    await using db = await createTestDatabase();
    await db.admin("drop schema orrery cascade");

    const both = await Promise.all([connectDatabase(db.targets, deps), connectDatabase(db.targets, deps)]);

    for (const database of both) await database.close();
    expect(await db.admin("select count(*)::int as n from migration")).toEqual([{ n: readdirSync(migrations).length }]);
  });

  it("make partitions for another month once, each as guarded as its parent", async () => {
    await using db = await createTestDatabase();
    const far = new Date("2031-12-31T23:59:59.999Z");

    const made = [await db.database.makePartitions(far), await db.database.makePartitions(far)];

    expect(made).toEqual([16, 0]);
    expect(
      await db.admin(`select relname from pg_class c where relname ~ '_2032_01$' and relkind = 'r' and relrowsecurity and relforcerowsecurity
        and exists (select 1 from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'insert_only') order by 1`),
    ).toEqual(["attempt_2032_01", "output_2032_01", "record_2032_01", "run_2032_01"].map((relname) => ({ relname })));
  });
});

describe("a session", () => {
  it("reads int8 as a number and refuses one that no number holds", async () => {
    await using db = await createTestDatabase();
    const ask = (text: string) => db.database.transaction((session) => session.query({ text }));

    expect(await ask("select 9007199254740991::int8 as n, count(*) as c")).toEqual([{ n: 9007199254740991, c: 1 }]);
    await expect(ask("select 9007199254740992::int8 as n")).rejects.toThrow("internal error");
  });

  it("rolls back what threw, and the connection serves on", async () => {
    await using db = await createTestDatabase();
    const write = db.database.withTenant("acme", async (session) => {
      await session.query({ text: "insert into counter (tenant_id, name, value) values ('acme', 'x', 1)" });
      throw new Error("stop");
    });

    await expect(write).rejects.toThrow("stop");
    expect(await db.database.withTenant("acme", (session) => session.query({ text: "select * from counter" }))).toEqual(
      [],
    );
  });

  it("is unavailable while the server's end is gone, and heals by itself", async () => {
    await using db = await createTestDatabase();
    const broken = db.database.withTenant("acme", async (session) => {
      const [row] = await session.query<{ pid: number }>({ text: "select pg_backend_pid() as pid" });
      await db.admin("select pg_terminate_backend($1)", [row?.pid]);
      await session.query({ text: "select 1" });
    });

    await expect(broken).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    expect(await db.database.withTenant("acme", (session) => session.query({ text: "select 1 as one" }))).toEqual([
      { one: 1 },
    ]);
  });
});
