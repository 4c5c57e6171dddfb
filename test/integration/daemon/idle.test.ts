import { describe, expect, it } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import { auditRef } from "../../../src/recorder/index.ts";
import { never, openDaemonWorld, worldSite } from "../../support/daemon-world.ts";
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
    const life = await world.live();
    const { store, database } = life.plant;
    await life.start("recorder", "worker", "reconciler", "scheduler");
    await life.event(({ kind }) => kind === "recorder");
    await life.event(({ kind }) => kind === "pass");
    const refs = refsOf(world.spec.dir);
    const marks = await tableMarks(world.db);

    for (let second = 2; second <= 600; second += 2) {
      await clock.advance(2000);
      // What node-cron asks for in real time: every two and every thirty seconds.
      await store.queue.rescue(10_000);
      if (second % 30 === 0) await store.queue.sweep();
      if (second % 30 === 0) life.wake();
    }
    const after = await tableMarks(world.db);
    const beats = await world.db.admin<{ beats: number }>("select max(tick)::int as beats from worker");
    await life.stop();
    await database.close();

    const moved = Object.keys(after).filter((table) => after[table] !== marks[table]);
    expect(moved.filter((table) => table !== "worker" && table !== "lease")).toEqual([]);
    // Not idle because it is dead: it has beaten all the while.
    expect(moved).toContain("worker");
    expect(beats[0]?.beats).toBeGreaterThan(5);
    expect(refsOf(world.spec.dir)).toEqual(refs);
    // Rows that came and went leave no mark, but they are counted.
    const writes = await rowWrites(world.db);
    expect(writes["outbox"]).toBe((await world.db.admin("select 1 from record")).length * 3);
  }, 120_000);
});

function refsOf(dir: string): readonly string[] {
  using repository = openRepository(dir);
  return ["refs/heads/main", auditRef(worldSite), `refs/orrery/sites/${worldSite}/audit`].map(
    (ref) => `${ref} ${repository.readRef(ref) ?? "none"}`,
  );
}
