import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ForecastDag, type ForecastTenant, forecast, type TenantForecast } from "../../../src/plan/index.ts";
import { effectiveQuota, type Quota } from "../../../src/spec/index.ts";

const from = new Date("2026-05-01T00:00:00.000Z");
const to = new Date("2026-05-01T01:00:00.000Z");
const minute = 60_000;

const usual = effectiveQuota(null);
const quotaOf = (runs: Partial<Quota["runs"]>, weight = 1): Quota => ({
  ...usual,
  weight,
  runs: { ...usual.runs, ...runs },
});

function dagOf(
  dagId: string,
  everyMs: number,
  rest: Partial<ForecastDag> & Partial<ForecastDag["spec"]["concurrency"]> = {},
): ForecastDag {
  const { max = 1, overlap = "queue", durationMs = minute, blocked = null } = rest;
  const { cpuMs = null, artifactBytes = null } = rest;
  const schedule = {
    name: "default",
    timing: { kind: "every" as const, everyMs },
    timezone: "UTC",
    catchUp: { policy: "none" as const, maxAgeMs: null },
    inputs: {},
  };
  return {
    dagId,
    spec: { schedules: [schedule], concurrency: { max, overlap } },
    blocked,
    durationMs,
    cpuMs,
    artifactBytes,
  };
}

const tenantOf = (tenant: string, dags: readonly ForecastDag[], quota: Quota = usual): ForecastTenant => ({
  tenant,
  quotaAt: () => quota,
  quotaTurns: [],
  dags,
});

const play = (tenants: readonly ForecastTenant[], capacity: number | null = null): readonly TenantForecast[] =>
  forecast(tenants, { from, to, capacity, withSlots: false });

describe("a forecast", () => {
  it("of runs shorter than their interval waits for nothing", () => {
    expect(play([tenantOf("a", [dagOf("d", 10 * minute)])])).toEqual([
      {
        tenant: "a",
        slots: 6,
        started: 6,
        skipped: {},
        refused: {},
        fates: null,
        waiting: 0,
        queue: { max: 1, mean: 0 },
        waitMs: { p50: 0, p95: 0, max: 0 },
        // The last slot is the end of the window.
        busyMs: 5 * minute,
      },
    ]);
  });

  it("of runs twice as long as their interval has a queue that grows, and a wait that can be computed by hand", () => {
    const [result] = play([tenantOf("a", [dagOf("d", 10 * minute, { durationMs: 20 * minute })])]);

    // Slots at 10..60, starts at 10, 30, 50: they waited 0, 10 and 20 minutes; 40, 50 and 60 still wait.
    expect(result).toMatchObject({ slots: 6, started: 3, waiting: 3, waitMs: { p50: 10 * minute, max: 20 * minute } });
  });

  it.each([
    ["skip", { started: 3, skipped: { overlap: 3 }, waiting: 0 }],
    ["latest", { started: 3, skipped: { replaced: 1 }, waiting: 2 }],
  ] as const)("follows overlap: %s", (overlap, expected) => {
    const max = overlap === "latest" ? { durationMs: 25 * minute } : { durationMs: 15 * minute };
    const [result] = play([tenantOf("a", [dagOf("d", 10 * minute, { overlap, ...max })])]);

    if (overlap === "skip") expect(result).toMatchObject(expected);
    else expect([result?.skipped["replaced"] ?? 0, result?.waiting]).toEqual([2, 1]);
  });

  it("refuses what the queue of the tenant does not hold, and names suspended and not armed DAGs", () => {
    const dags = [
      dagOf("full", 10 * minute, { durationMs: 600 * minute }),
      dagOf("off", 30 * minute, { blocked: "suspended" }),
      dagOf("denied", 30 * minute, { blocked: "not_allowed" }),
    ];
    const [result] = play([tenantOf("a", dags, quotaOf({ maxQueued: 2 }))]);

    expect(result).toMatchObject({ started: 1, skipped: { quota: 3, suspended: 2, not_allowed: 2 }, waiting: 2 });
  });

  it("gives two tenants that both want the whole site shares as their weights", () => {
    const greedy = Array.from({ length: 40 }, (_, n) => dagOf(`d${String(n)}`, minute, { durationMs: minute }));
    const quota = (weight: number): Quota => quotaOf({ maxConcurrent: 40, maxQueued: 10_000 }, weight);
    const [light, heavy] = play(
      [tenantOf("light", greedy, quota(1)), tenantOf("heavy", greedy, quota(3))].reverse(),
      8,
    );

    expect(heavy?.tenant).toBe("light");
    expect((light?.started ?? 0) / (heavy?.started ?? 1)).toBeCloseTo(3, 0);
  });

  it("loses no slot, never runs more than quota and capacity allow, and does not depend on the order of its input", () => {
    const dag = fc.record({
      everyMs: fc.integer({ min: 1, max: 20 }).map((n) => n * minute),
      durationMs: fc.integer({ min: 1, max: 90 }).map((n) => n * minute),
      max: fc.integer({ min: 1, max: 3 }),
      overlap: fc.constantFrom("queue" as const, "skip" as const, "latest" as const),
    });
    const tenant = fc.record({
      dags: fc.array(dag, { maxLength: 4 }),
      maxConcurrent: fc.integer({ min: 1, max: 4 }),
      maxQueued: fc.integer({ min: 1, max: 9 }),
      weight: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(tenant, { maxLength: 3 }), fc.option(fc.integer({ min: 1, max: 6 })), (drawn, capacity) => {
        const tenants = drawn.map(({ dags, weight, ...runs }, n) =>
          tenantOf(
            `t${String(n)}`,
            dags.map(({ everyMs, ...rest }, d) => dagOf(`d${String(d)}`, everyMs, rest)),
            quotaOf(runs, weight),
          ),
        );
        const results = play(tenants, capacity);

        for (const [n, result] of results.entries()) {
          const refused = Object.values(result.skipped).reduce((sum, count) => sum + count, 0);
          expect(result.started + refused + result.waiting).toBe(result.slots);
          expect(result.busyMs).toBeLessThanOrEqual(60 * minute * (drawn[n]?.maxConcurrent ?? 0));
          expect(result.queue.max).toBeLessThanOrEqual(drawn[n]?.maxQueued ?? 0);
        }
        const busy = results.reduce((sum, { busyMs }) => sum + busyMs, 0);
        if (capacity !== null) expect(busy).toBeLessThanOrEqual(60 * minute * capacity);
        expect(play([...tenants].reverse(), capacity)).toEqual(results);
      }),
    );
  });

  it.each([
    ["cpuTimeMs", { cpuMs: 2 * minute }, 5 * minute, "CPU_BUDGET_SPENT"],
    ["artifactBytes", { artifactBytes: 40 }, 100, "ARTIFACT_BUDGET_SPENT"],
  ] as const)(
    "spends the budget of a day as runs end (%s), and has it whole again at midnight UTC",
    (field, cost, budget, code) => {
      const quota = { ...usual, perDay: { ...usual.perDay, [field]: budget } };
      const tenants = [tenantOf("a", [dagOf("d", 10 * minute, cost)], quota)];
      const days = { from: new Date("2026-05-01T23:00:00.000Z"), to: new Date("2026-05-02T00:30:00.000Z") };

      const [hour] = play(tenants);
      const [night] = forecast(tenants, { ...days, capacity: null, withSlots: false });
      const [unknown] = play([tenantOf("a", [dagOf("d", 10 * minute)], quota)]);

      // Runs end at 11, 21 and 31: at 40, 50 and 60 it is used up.
      expect(hour).toMatchObject({ started: 3, skipped: { quota: 3 }, refused: { [code]: 3 } });
      // 23:10 to 23:30 run, 23:40 and 23:50 are refused, 00:00 to 00:20 run, 00:30 is refused.
      expect(night).toMatchObject({ slots: 9, started: 6, refused: { [code]: 3 } });
      expect(unknown).toMatchObject({ started: 6, refused: {} });
    },
  );

  it("names each slot and what becomes of it where that is asked for", () => {
    const dags = [
      dagOf("off", 30 * minute, { blocked: "suspended" }),
      dagOf("slow", 20 * minute, { overlap: "latest", durationMs: 25 * minute }),
      dagOf("full", 20 * minute, { overlap: "skip", durationMs: 25 * minute }),
    ];
    const [result] = forecast([tenantOf("a", dags)], { from, to, capacity: null, withSlots: true });

    expect(result?.fates?.map(({ utc, dagId, fate, waitMs }) => [utc.slice(11, 16), dagId, fate, waitMs])).toEqual([
      ["00:20", "full", "starts", 0],
      ["00:20", "slow", "starts", 0],
      ["00:30", "off", "suspended", null],
      ["00:40", "full", "overlap", null],
      ["00:40", "slow", "starts", 5 * minute],
      ["01:00", "full", "starts", 0],
      ["01:00", "off", "suspended", null],
      ["01:00", "slow", "waiting", null],
    ]);
    expect(play([tenantOf("a", dags)])[0]?.fates).toBeNull();
  });

  it("of a window with too many slots is refused, not computed", () => {
    const long = { from, to: new Date("2126-05-01T00:00:00.000Z"), capacity: null, withSlots: false };

    expect(() => forecast([tenantOf("a", [dagOf("d", minute)])], long)).toThrow(
      expect.objectContaining({ code: "USAGE" }),
    );
  });
});
