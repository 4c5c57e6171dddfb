import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueSlots, slotsBetween } from "../../../src/calendar/index.ts";
import { rounds } from "../../support/effort.ts";
import { cron, every, hours, iso, minutes } from "./schedule-fixture.ts";

const at = (text: string): Date => new Date(`2026-05-${text}Z`);
const daily = (policy: "none" | "latest" | "all", maxAgeMs: number | null = null) =>
  cron("30 3 * * *", "UTC", { policy, maxAgeMs });
const night = (day: number): string => `2026-05-${String(day).padStart(2, "0")}T03:30Z`;

describe("dueSlots", () => {
  it("gives nothing before the next slot, and nothing for a watermark beyond now", () => {
    const between = { watermark: at("02T03:30:00"), now: at("03T03:29:59") };
    const beyond = { watermark: at("09T00:00:00"), now: at("03T03:29:59") };

    for (const when of [between, beyond]) {
      expect(dueSlots(daily("all"), when)).toEqual({ moves: [], runs: [], skips: [], more: false });
    }
  });

  it("starts a slot that is due, and names the next", () => {
    const { moves } = dueSlots(daily("none"), { watermark: at("01T03:30:00"), now: at("02T03:30:00") });

    expect(moves).toEqual([
      { from: at("01T03:30:00"), to: at("02T03:30:00"), nextDue: at("03T03:30:00"), skips: [], runs: true },
    ]);
  });

  it("catchUp none still starts a slot up to one minute late, and skips a later one", () => {
    const watermark = at("01T03:30:00");
    const inTime = dueSlots(daily("none"), { watermark, now: at("02T03:31:00") });
    const late = dueSlots(daily("none"), { watermark, now: at("02T03:31:00.001") });

    expect(iso(inTime.runs)).toEqual([night(2)]);
    expect(late.runs).toEqual([]);
    expect(late.moves).toEqual([
      {
        from: watermark,
        to: at("02T03:30:00"),
        nextDue: at("03T03:30:00"),
        skips: [{ reason: "late", from: "2026-05-02T03:30:00.000Z", to: "2026-05-02T03:30:00.000Z", count: 1 }],
        runs: false,
      },
    ]);
  });

  it("catchUp latest starts the newest missed slot and counts the others in one range", () => {
    const due = dueSlots(daily("latest"), { watermark: at("01T03:30:00"), now: at("05T12:00:00") });

    expect(due.moves).toEqual([
      {
        from: at("01T03:30:00"),
        to: at("05T03:30:00"),
        nextDue: at("06T03:30:00"),
        skips: [{ reason: "late", from: "2026-05-02T03:30:00.000Z", to: "2026-05-04T03:30:00.000Z", count: 3 }],
        runs: true,
      },
    ]);
  });

  it("catchUp latest starts no missed slot beside one that is in time", () => {
    const due = dueSlots(daily("latest"), { watermark: at("01T03:30:00"), now: at("04T03:30:30") });

    expect(iso(due.runs)).toEqual([night(4)]);
    expect(due.skips).toMatchObject([{ count: 2 }]);
  });

  it("catchUp all starts each, in order", () => {
    const due = dueSlots(daily("all"), { watermark: at("01T03:30:00"), now: at("04T12:00:00") });

    expect(iso(due.runs)).toEqual([night(2), night(3), night(4)]);
    expect(due.skips).toEqual([]);
  });

  it("starts nothing older than maxAge", () => {
    const when = { watermark: at("01T03:30:00"), now: at("05T12:00:00") };

    expect(iso(dueSlots(daily("all", hours(36)), when).runs)).toEqual([night(4), night(5)]);
    expect(dueSlots(daily("latest", hours(8)), when).runs).toEqual([]);
    expect(iso(dueSlots(daily("latest", hours(9)), when).runs)).toEqual([night(5)]);
  });

  it("starts both of two slots that one slow tick found", () => {
    for (const policy of ["none", "latest", "all"] as const) {
      const due = dueSlots(every(15_000, { policy, maxAgeMs: null }), {
        watermark: new Date(0),
        now: new Date(31_000),
      });
      expect(due.runs.map((d) => d.getTime())).toEqual([15_000, 30_000]);
    }
  });

  it("looks at a long outage piece by piece, and latest starts only the very last slot", () => {
    const schedule = every(minutes(1), { policy: "latest", maxAgeMs: null });
    const now = new Date(hours(24) + minutes(0.5) + hours(24 * 300));
    let watermark = new Date(hours(24 * 300));
    const runs: Date[] = [];
    let counted = 0;
    for (let more = true; more; ) {
      const due = dueSlots({ ...schedule, timing: { kind: "every", everyMs: minutes(1) } }, { watermark, now });
      runs.push(...due.runs);
      counted += due.skips.reduce((sum, skip) => sum + skip.count, 0);
      watermark = due.moves.at(-1)?.to ?? watermark;
      more = due.more;
    }

    expect(runs).toEqual([new Date(hours(24 * 301))]);
    expect(counted + runs.length).toBe(1440);
  });
});

const schedules = fc.record({
  every: fc.integer({ min: 1, max: 600 }).map((s) => s * 1000),
  policy: fc.constantFrom("none", "latest", "all"),
  maxAgeMs: fc.option(fc.integer({ min: 0, max: 3_600_000 }), { nil: null }),
});

it("accounts for every slot exactly once, whatever the policy and the piece size", () => {
  fc.assert(
    fc.property(
      schedules,
      fc.nat(10_000_000),
      fc.nat(10_000_000),
      fc.integer({ min: 1, max: 50 }),
      (s, w, d, limit) => {
        const schedule = every(s.every, { policy: s.policy, maxAgeMs: s.maxAgeMs });
        const now = new Date(w + d);
        let watermark = new Date(w);
        let seen = 0;
        const runs: number[] = [];
        for (let more = true; more; ) {
          const due = dueSlots(schedule, { watermark, now }, limit);
          for (const move of due.moves) {
            expect(move.from).toEqual(watermark);
            watermark = move.to;
          }
          seen += due.runs.length + due.skips.reduce((sum, skip) => sum + skip.count, 0);
          runs.push(...due.runs.map((r) => r.getTime()));
          more = due.more;
        }
        const all = slotsBetween(schedule, new Date(w), now, 1e6).slots.map((slot) => slot.getTime());

        expect(seen).toBe(all.length);
        expect(runs.every((run) => all.includes(run))).toBe(true);
        expect(new Set(runs).size).toBe(runs.length);
        if (all.length > 0) expect(watermark.getTime()).toBe(all.at(-1));
      },
    ),
    { numRuns: rounds(200, 5000) },
  );
});
