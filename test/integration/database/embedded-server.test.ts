import { type ChildProcess, spawn } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import { type Database, openDatabase } from "../../../src/database/index.ts";
import { withClient } from "../../support/postgres-targets.ts";
import { silentLog } from "../../support/silent-log.ts";
import { until } from "../../support/until.ts";

const asRoot = process.getuid?.() === 0;
const parents: ChildProcess[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const parent of parents.splice(0)) parent.kill("SIGKILL");
  for (const directory of directories.splice(0)) {
    await until(() => processesIn(join(directory, "data", "pgdata")).length === 0);
    rmSync(directory, { recursive: true, force: true });
  }
});

/** mkdtemp makes a directory that lets only its owner through: as root, the server's own uid cannot walk into it. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "orrery-embedded-"));
  directories.push(directory);
  return directory;
}

const configOf = (directory: string) => ({
  url: null,
  dataDir: join(directory, "data"),
  runDir: join(directory, "run"),
});
const open = (directory: string): Promise<Database> =>
  openDatabase(configOf(directory), { log: silentLog, clock: systemClock });
const pidOf = (directory: string): number =>
  Number(readFileSync(join(directory, "data", "pgdata", "postmaster.pid"), "utf8").split("\n")[0]);
const note = (database: Database): Promise<unknown> =>
  database.withTenant("acme", (session) =>
    session.query({ text: "insert into counter (tenant_id, name, value) values ('acme', 'kept', 7)" }),
  );
const noted = (database: Database): Promise<unknown> =>
  database.withTenant("acme", (session) => session.query({ text: "select value from counter where name = 'kept'" }));

function processesIn(directory: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${String(pid)}/cwd`) === directory;
      } catch {
        return false;
      }
    });
}

/** Starts a daemon in a process of its own; resolves when its database is open. */
async function startParent(
  directory: string,
  who: { uid?: number; gid?: number } = {},
): Promise<{ parent: ChildProcess; log: readonly string[] }> {
  const script = resolve("test/support/database-parent.ts");
  const { dataDir, runDir } = configOf(directory);
  const parent = spawn(process.execPath, ["--import", "tsx", script, dataDir, runDir], {
    stdio: ["pipe", "pipe", "inherit"],
    ...who,
  });
  parents.push(parent);
  const line = await new Promise<string>((done, fail) => {
    parent.stdout.once("data", (data: Buffer) => done(data.toString()));
    parent.once("exit", (code) => fail(new Error(`exit ${String(code)}`)));
  });
  return { parent, ...(JSON.parse(line) as { log: readonly string[] }) };
}

/** The shell that waits for the daemon's end on the server's behalf. */
function watchdogOf(serverPid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${String(serverPid)}/status`, "utf8"))?.[1]);
}

describe("the embedded server", () => {
  it("keeps data over a restart, in a directory that only its owner may enter, durably and without TCP", async () => {
    const directory = makeDirectory();
    const first = await open(directory);
    await note(first);
    await first.close();

    const second = await open(directory);
    const settings = await second.transaction((session) =>
      session.query({
        text: `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses') order by name`,
      }),
    );
    const uid = statSync(`/proc/${String(pidOf(directory))}`).uid;
    const found = await noted(second);
    await second.close();

    expect(found).toEqual([{ value: 7 }]);
    expect(settings.map((row) => row["setting"])).toEqual(["on", "on", "", "on"]);
    expect(uid === 0).toBe(false);
    expect(statSync(join(directory, "data", "pgdata")).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "data", "postgres.log")).mode & 0o077).toBe(0);
  });

  it("stops when its daemon is killed, and what was committed is there afterwards", async () => {
    const directory = makeDirectory();
    const { parent } = await startParent(directory);
    const server = pidOf(directory);
    const socket = join(directory, "run", "pg");
    await withClient({ host: socket, port: 5432, user: "postgres", database: "orrery" }, (client) =>
      client.query("insert into orrery.counter (tenant_id, name, value) values ('acme', 'kept', 7)"),
    );

    parent.kill("SIGKILL");

    await until(() => !existsSync(`/proc/${String(server)}`));
    const database = await open(directory);
    expect(await noted(database)).toEqual([{ value: 7 }]);
    await database.close();
  });

  it("is adopted by the next daemon where its guard died too, and stops with that one", async () => {
    const directory = makeDirectory();
    const { parent } = await startParent(directory);
    const server = pidOf(directory);
    process.kill(watchdogOf(server), "SIGKILL");
    // The guard's own child holds the life line until the daemon is gone: the daemon must outlive it.
    parent.kill("SIGSTOP");

    const { parent: next, log } = await startParent(directory);

    expect([pidOf(directory), log[0]]).toEqual([server, "adopted the database server of an earlier start"]);
    next.stdin?.end();
    await until(() => !existsSync(`/proc/${String(server)}`));
  });

  it("starts after a crash of daemon and server that left a pid file", async () => {
    const directory = makeDirectory();
    const { parent } = await startParent(directory);
    const server = pidOf(directory);

    process.kill(watchdogOf(server), "SIGKILL");
    process.kill(server, "SIGKILL");
    parent.kill("SIGKILL");

    const database = await open(directory);
    expect(pidOf(directory)).not.toBe(server);
    await database.close();
  });

  it("begins anew where making the cluster was cut short", async () => {
    const directory = makeDirectory();
    mkdirSync(join(directory, "data", "pgdata.init", "base"), { recursive: true });

    const database = await open(directory);
    await database.close();

    expect(existsSync(join(directory, "data", "pgdata", "PG_VERSION"))).toBe(true);
  });

  it("refuses the data of another major version by name", async () => {
    const directory = makeDirectory();
    mkdirSync(join(directory, "data", "pgdata"), { recursive: true });
    writeFileSync(join(directory, "data", "pgdata", "PG_VERSION"), "14\n");

    await expect(open(directory)).rejects.toMatchObject({
      code: "DATABASE_UNFIT",
      message: expect.stringContaining("PostgreSQL 14") as string,
    });
  });

  it("refuses the socket directory of another data directory's server", async () => {
    const [one, two] = [makeDirectory(), makeDirectory()];
    const database = await open(one);

    const other = openDatabase(
      { ...configOf(two), runDir: configOf(one).runDir },
      { log: silentLog, clock: systemClock },
    );

    await expect(other).rejects.toMatchObject({
      code: "DATABASE_UNFIT",
      message: expect.stringContaining("socket directory") as string,
    });
    await database.close();
  });

  it("refuses a socket path that the kernel would cut", async () => {
    const directory = makeDirectory();
    const runDir = join(directory, "r".repeat(100));

    const opened = openDatabase({ ...configOf(directory), runDir }, { log: silentLog, clock: systemClock });

    await expect(opened).rejects.toMatchObject({
      code: "DATABASE_UNFIT",
      message: expect.stringContaining("107 bytes") as string,
    });
  });

  it.runIf(asRoot)("runs as an ordinary user too (needs root to become one)", async () => {
    const directory = makeDirectory();
    const nobody = { uid: 65534, gid: 65534 };
    chownSync(directory, nobody.uid, nobody.gid);

    await startParent(directory, nobody);

    expect(statSync(`/proc/${String(pidOf(directory))}`).uid).toBe(nobody.uid);
  });
});
