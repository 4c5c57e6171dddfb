import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import { never, openDaemonWorld } from "../../support/daemon-world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";
import { tableMarks } from "../../support/table-marks.ts";
import type { TestDatabase } from "../../support/test-database.ts";
import { until } from "../../support/until.ts";

/** Rows written since the database was made, by table. Exact once every session that wrote has ended. */
async function rowWrites(db: TestDatabase): Promise<Readonly<Record<string, number>>> {
  await until(async () => {
    const others = await db.admin(
      "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and application_name like 'orrery%' and application_name not like '%pool%'",
    );
    return others.length === 0;
  });
  const rows = await db.admin<{ name: string; n: number }>(
    "select relname as name, (n_tup_ins + n_tup_upd + n_tup_del)::int as n from pg_stat_user_tables where schemaname = 'orrery'",
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

const day = 24 * 3_600_000;
const everyService = ["recorder", "worker", "reconciler", "watcher", "scheduler", "housekeeping"] as const;

describe("an idle daemon", () => {
  it("in ten minutes makes no commit and writes no row but its worker's heartbeat and leases", async () => {
    // Today, and not so late that the ten minutes reach into the next day, which closes skip ranges.
    const start = new Date(Math.floor(Date.now() / day) * day + 6 * 3_600_000).toISOString();
    const clock = new FakeClock(start);
    await using world = await openDaemonWorld({
      clock,
      files: {
        ...tenantFiles("acme"),
        [dagPath("acme", "hello")]: dagText({ steps: { hello: logStep() } }),
        [dagPath("acme", "yearly")]: dagText({ schedules: [{ cron: "0 0 1 1 *" }], steps: { hello: logStep() } }),
      },
    });
    await (async () => {
      await using settling = await world.live();
      await reconcilePass(settling);
      await settling.engines.recorder.flush(never);
    })();
    const written = await rowWrites(world.db);
    const before = { marks: await tableMarks(world.db), git: gitOf(world.spec.dir) };

    const life = await world.live({ skewMs: () => 0 });
    await life.start(...everyService);
    await life.event(({ kind }) => kind === "pass");
    const asleep = await settledSleepers(clock);
    for (let second = 1; second <= 600; second++) {
      await clock.advance(1000);
      // Every loop has done its turn: each timer fires as often as it would in real time.
      await until(() => clock.sleeping >= asleep);
    }
    const marks = await tableMarks(world.db);
    const beats = await world.db.admin<{ beats: number }>("select max(tick)::int as beats from worker");
    const reasons = life.view.status().reasons;
    await life.stop();
    await life.plant.database.close();
    const after = await rowWrites(world.db);

    expect(namesThatDiffer(before.marks, marks).filter((table) => !isPulse(table))).toEqual([]);
    // Rows that came and went leave no mark, but they are counted: from the start of the services to their end.
    expect(namesThatDiffer(written, after).filter((table) => !isPulse(table))).toEqual([]);
    expect(gitOf(world.spec.dir)).toEqual(before.git);
    // Not idle because it is dead, or because it is closed, and not quiet because nobody counts.
    expect((after["worker"] ?? 0) - (written["worker"] ?? 0)).toBeGreaterThan(250);
    expect(beats[0]?.beats).toBeGreaterThan(250);
    expect(reasons).toEqual([]);
  }, 180_000);
});

const isPulse = (table: string): boolean => table === "worker" || table === "lease";

const namesThatDiffer = <T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>): readonly string[] =>
  Object.keys(b).filter((name) => a[name] !== b[name]);

/** How many loops sleep once all have started and have had their first turn. */
async function settledSleepers(clock: FakeClock): Promise<number> {
  let seen = -1;
  let same = 0;
  await until(() => {
    same = clock.sleeping === seen ? same + 1 : 0;
    seen = clock.sleeping;
    return same >= 20;
  });
  return seen;
}

/** Every ref and every object file. */
function gitOf(dir: string): readonly string[] {
  using repository = openRepository(dir);
  const refs = repository.listRefs("refs/").map(({ ref, oid }) => `${ref} ${oid}`);
  return [...refs, ...readdirSync(join(dir, "objects"), { recursive: true, encoding: "utf8" }).sort()];
}
