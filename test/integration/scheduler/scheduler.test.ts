import { afterEach, describe, expect, it } from "vitest";
import { tick } from "../../../src/scheduler/index.ts";
import { slotRequests } from "../../../src/scheduler/slot-requests.ts";
import { type DaemonLife, type DaemonWorld, never, openDaemonWorld, worldSite } from "../../support/daemon-world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, type FileChanges, logStep, tenantFiles } from "../../support/spec-commits.ts";

let world: DaemonWorld;
afterEach(() => world[Symbol.asyncDispose]());

interface Setup {
  readonly clock: FakeClock;
  readonly life: DaemonLife;
}

/** acme's DAGs, applied at `start`. */
async function setup(
  start: string,
  dags: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  more: FileChanges = {},
): Promise<Setup> {
  const clock = new FakeClock(start);
  const texts: FileChanges = Object.fromEntries(
    Object.entries(dags).map(([id, spec]) => [dagPath("acme", id), dagText({ steps: { hello: logStep() }, ...spec })]),
  );
  world = await openDaemonWorld({ clock, files: { ...tenantFiles("acme"), ...texts, ...more } });
  const life = await world.live();
  await reconcilePass(life);
  return { clock, life };
}

const facts = {
  site: worldSite,
  runtime: { orrery: "0.1.0", node: "20.20.2", tzdata: "2026b", level: "confined" },
} as const;
/** Time passes; or, where `at` is past, somebody sets the clock. */
async function goTo(clock: FakeClock, at: string): Promise<void> {
  const ms = Date.parse(at) - clock.now().getTime();
  if (ms >= 0) await clock.advance(ms);
  else clock.setWall(at);
}

const look = (life: DaemonLife): Promise<number> => tick(life.engines.starting, facts, never);

/** The slots that became runs, in their order. */
async function slots(dagId = "tick"): Promise<readonly string[]> {
  const rows = await world.db.admin<{ slot: Date }>(
    `select slot from run_live where dag_id = $1 union all select slot from run where dag_id = $1 order by 1`,
    [dagId],
  );
  return rows.map(({ slot }) => slot.toISOString().replace(/\.000Z$/u, "Z"));
}

async function skips(dagId = "tick"): Promise<readonly (readonly [string, string, string, number])[]> {
  const rows = await world.db.admin<{ reason: string; from_slot: Date; to_slot: Date; count: string }>(
    "select reason, from_slot, to_slot, count::text from skip_live where dag_id = $1 order by from_slot",
    [dagId],
  );
  return rows.map((row) => [row.reason, time(row.from_slot), time(row.to_slot), Number(row.count)]);
}
const time = (at: Date): string => at.toISOString().slice(11, 16);
const day = "2026-11-24T";

describe("slots after a downtime", () => {
  it.each([
    ["none", {}, []],
    ["latest", { catchUp: { policy: "latest", maxAge: "24h" } }, [`${day}05:00:00Z`]],
    [
      "all",
      { catchUp: { policy: "all", maxAge: "24h" } },
      [1, 2, 3, 4, 5].map((hour) => `${day}0${String(hour)}:00:00Z`),
    ],
    [
      "all, but no older than it may be",
      { catchUp: { policy: "all", maxAge: "2h" } },
      [`${day}04:00:00Z`, `${day}05:00:00Z`],
    ],
  ])("are caught up as catchUp says: %s", async (_, rest, expected) => {
    const { clock, life } = await setup(`${day}00:30:00.000Z`, {
      tick: { schedules: [{ cron: "0 * * * *", ...rest }], concurrency: { max: 10, overlap: "queue" } },
    });

    await goTo(clock, `${day}05:10:00.000Z`);
    await look(life);
    await look(life);

    const counted = (await skips()).reduce((sum, [, , , count]) => sum + count, 0);
    expect(await slots()).toEqual(expected);
    // Every slot is on record: as a run, or counted as late.
    expect(counted).toBe(5 - expected.length);
    expect(new Set((await skips()).map(([reason]) => reason))).toEqual(new Set(expected.length === 5 ? [] : ["late"]));
  });

  it("a slot that is less than a minute late still starts, a later one does not", async () => {
    const { clock, life } = await setup(`${day}00:30:00.000Z`, { tick: { schedules: [{ cron: "0 * * * *" }] } });

    await goTo(clock, `${day}01:00:59.000Z`);
    await look(life);
    await goTo(clock, `${day}02:01:01.000Z`);
    await look(life);

    expect(await slots()).toEqual([`${day}01:00:00Z`]);
    expect(await skips()).toEqual([["late", "02:00", "02:00", 1]]);
  });
});

describe("slots that find a run before them", () => {
  it.each([
    ["skip", [`${day}00:31:00Z`], [["overlap", "00:32", "00:33", 2]]],
    ["queue", [31, 32, 33].map((minute) => `${day}00:${String(minute)}:00Z`), []],
  ] as const)("overlap: %s", async (overlap, runs, skipped) => {
    const { clock, life } = await setup(`${day}00:30:30.000Z`, {
      tick: { schedules: [{ every: "1m" }], concurrency: { max: 1, overlap } },
    });

    for (const minute of [31, 32, 33]) {
      await goTo(clock, `${day}00:${String(minute)}:01.000Z`);
      await look(life);
    }

    expect(await slots()).toEqual(runs);
    expect(await skips()).toEqual(skipped);
  });
});

describe("slots that nobody may start", () => {
  const minutes = async ({ clock, life }: Setup, from: number, to: number): Promise<void> => {
    for (let minute = from; minute <= to; minute++) {
      await goTo(clock, `${day}00:${String(minute)}:01.000Z`);
      await look(life);
    }
  };

  it("of a DAG that is not armed are one range on record, and none is caught up after", async () => {
    const bundle = await setup(
      `${day}00:30:30.000Z`,
      { tick: { schedules: [{ every: "1m", catchUp: { policy: "all", maxAge: "24h" } }] } },
      {
        "tenants/acme/allowlist.yaml": "apiVersion: orrery/v1\nkind: Allowlist\nspec: {}\n",
      },
    );

    await minutes(bundle, 31, 35);
    const during = await skips();
    await world.spec.commit(tenantFiles("acme"));
    await reconcilePass(bundle.life);
    await minutes(bundle, 36, 36);
    await bundle.life.engines.recorder.flush(never);

    expect(during).toEqual([["not_allowed", "00:31", "00:35", 5]]);
    expect(await slots()).toEqual([`${day}00:36:00Z`]);
    const records = await world.records<{ kind: string; reason?: string; count?: number; from?: string; to?: string }>(
      "acme",
    );
    expect(records.filter(({ kind }) => kind === "skip")).toMatchObject([{ reason: "not_allowed", count: 5 }]);
    expect(world.verify().findings).toEqual([]);
  });

  it("of a suspended tenant are one range on record", async () => {
    const bundle = await setup(
      `${day}00:30:30.000Z`,
      { tick: { schedules: [{ every: "1m" }] } },
      {
        "tenants/acme/tenant.yaml":
          "apiVersion: orrery/v1\nkind: Tenant\nspec:\n  owners: [ana@acme.example]\n  suspend: true\n",
      },
    );

    await minutes(bundle, 31, 34);

    expect(await skips()).toEqual([["suspended", "00:31", "00:34", 4]]);
    expect(await slots()).toEqual([]);
  });

  it("of a site that is closed are one range on record; nothing runs, and it goes on when the site opens", async () => {
    const bundle = await setup(`${day}00:30:30.000Z`, { tick: { schedules: [{ every: "1m" }] } });

    bundle.life.plant.gate.close("RecorderKeyUnknown", "no key");
    await minutes(bundle, 31, 33);
    bundle.life.plant.gate.open("RecorderKeyUnknown");
    await minutes(bundle, 34, 34);

    expect(await skips()).toEqual([["closed", "00:31", "00:33", 3]]);
    expect(await slots()).toEqual([`${day}00:34:00Z`]);
  });

  it("are not looked at while the clock is suspect, and caught up as the schedule says", async () => {
    const bundle = await setup(`${day}00:30:30.000Z`, {
      tick: { schedules: [{ every: "1m", catchUp: { policy: "all", maxAge: "1h" } }] },
    });

    bundle.life.plant.gate.close("ClockSuspect", "jumped");
    await minutes(bundle, 31, 33);
    const during = [await slots(), await skips()];
    bundle.life.plant.gate.open("ClockSuspect");
    await minutes(bundle, 34, 34);

    expect(during).toEqual([[], []]);
    expect(await slots()).toEqual([31, 32, 33, 34].map((minute) => `${day}00:${String(minute)}:00Z`));
  });
});

describe("the two odd days of Europe/Vienna", () => {
  const nightly = (cron: string): Readonly<Record<string, unknown>> => ({
    schedules: [{ cron, timezone: "Europe/Vienna" }],
    concurrency: { max: 10, overlap: "queue" },
  });

  /** Looks every half minute of fake time. */
  async function through({ clock, life }: Setup, from: string, to: string): Promise<void> {
    for (let at = Date.parse(from); at <= Date.parse(to); at += 30_000 * 10) {
      await goTo(clock, new Date(at).toISOString());
      await look(life);
    }
  }

  it("a time that does not exist fires once, at the first instant after the gap", async () => {
    const bundle = await setup("2026-03-28T22:00:00.000Z", { tick: nightly("30 2 * * *") });

    await through(bundle, "2026-03-28T23:00:00.000Z", "2026-03-29T04:00:00.000Z");

    expect(await slots()).toEqual(["2026-03-29T01:00:00Z"]);
  });

  it("a time that comes twice fires once, at its first occurrence; an interval fires in both hours", async () => {
    const bundle = await setup("2026-10-24T22:00:00.000Z", {
      tick: nightly("30 2 * * *"),
      half: nightly("*/30 * * * *"),
    });

    await through(bundle, "2026-10-24T23:05:00.000Z", "2026-10-25T02:00:00.000Z");

    expect(await slots()).toEqual(["2026-10-25T00:30:00Z"]);
    expect((await slots("half")).filter((slot) => slot >= "2026-10-25T00:00:00Z")).toEqual(
      ["00:00", "00:30", "01:00", "01:30", "02:00"].map((at) => `2026-10-25T${at}:00Z`),
    );
  });
});

describe("a clock that goes back", () => {
  it("starts no slot twice, and goes on where it was when the time comes again", async () => {
    const { clock, life } = await setup(`${day}00:30:30.000Z`, { tick: { schedules: [{ every: "1m" }] } });
    await goTo(clock, `${day}00:31:01.000Z`);
    await look(life);

    await goTo(clock, `${day}00:29:00.000Z`);
    await look(life);
    await goTo(clock, `${day}00:31:02.000Z`);
    await look(life);
    await goTo(clock, `${day}00:32:02.000Z`);
    await look(life);

    expect(await slots()).toEqual([`${day}00:31:00Z`, `${day}00:32:00Z`]);
    expect(await skips()).toEqual([]);
  });
});

describe("two schedulers on one database", () => {
  it("claim each slot once, also when both have read the same due slots before either writes", async () => {
    const dags = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`d${String(n)}`, { schedules: [{ every: "1m" }] }]),
    );
    const { clock, life } = await setup(`${day}00:30:30.000Z`, dags);
    const other = await world.live();
    await goTo(clock, `${day}00:31:01.000Z`);
    const due = await life.plant.store.admission.dueSchedules(clock.now(), 100);
    const requests = await Promise.all(due.map((each) => slotRequests(life.engines.starting, facts, each, never)));

    const answers = await Promise.all([
      life.plant.store.admission.admit(requests.flat()),
      other.plant.store.admission.admit(requests.flat()),
      look(life).then(() => []),
      look(other).then(() => []),
    ]);

    const admitted = answers.flat().filter(({ kind }) => kind === "admitted").length;
    const rows = await world.db.admin<{ n: number; distinct: number; numbers: string }>(
      `select count(*)::int as n, count(distinct dag_id)::int as distinct, string_agg(distinct run_no::text, ',') as numbers from run_live`,
    );
    expect(rows).toEqual([{ n: 12, distinct: 12, numbers: "1" }]);
    expect(admitted).toBeLessThanOrEqual(12);
    expect(await look(life)).toBe(0);
  });

  it("side by side through half a day start every slot once, in order of their runNo", async () => {
    const { clock, life } = await setup(`${day}00:00:30.000Z`, { tick: { schedules: [{ every: "1h" }] } });
    const other = await world.live();

    for (let hour = 1; hour <= 12; hour++) {
      await goTo(clock, `${day}${String(hour).padStart(2, "0")}:00:05.000Z`);
      await Promise.all([look(life), look(other)]);
    }

    const rows = await world.db.admin<{ run_no: number; hour: number }>(
      "select run_no::int, extract(hour from slot at time zone 'UTC')::int as hour from run_live order by slot",
    );
    expect(rows).toEqual(Array.from({ length: 12 }, (_, n) => ({ run_no: n + 1, hour: n + 1 })));
    expect(await skips()).toEqual([]);
  });
});
