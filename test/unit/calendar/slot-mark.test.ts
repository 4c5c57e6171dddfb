import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { slotMark, slotsBetween } from "../../../src/calendar/index.ts";
import { cron, every, hours } from "./schedule-fixture.ts";

const at = (text: string, zone: string, instant: string) => slotMark(cron(text, zone), new Date(instant));

describe("the mark of a slot", () => {
  it.each([
    ["a time in the gap", "30 2 * * *", "Europe/Vienna", "2026-03-29T01:00Z", { kind: "gap", named: "02:30" }],
    [
      "the first of two in the gap",
      "15,45 2 * * *",
      "Europe/Vienna",
      "2026-03-29T01:00Z",
      { kind: "gap", named: "02:15" },
    ],
    [
      "a gap of half an hour",
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-03T15:30Z",
      { kind: "gap", named: "02:15" },
    ],
    ["a gap at midnight", "0 0 * * *", "Africa/Cairo", "2026-04-23T22:00Z", { kind: "gap", named: "00:00" }],
    ["a time after the gap", "30 3 * * *", "Europe/Vienna", "2026-03-29T01:30Z", null],
    ["an interval behind the gap", "*/30 * * * *", "Europe/Vienna", "2026-03-29T01:00Z", null],
    ["a fixed time that comes twice", "30 2 * * *", "Europe/Vienna", "2026-10-25T00:30Z", { kind: "overlap", pass: 1 }],
    [
      "the second pass of an interval",
      "*/30 * * * *",
      "Europe/Vienna",
      "2026-10-25T01:30Z",
      { kind: "overlap", pass: 2 },
    ],
    ["the hour after it", "0 3 * * *", "Europe/Vienna", "2026-10-25T02:00Z", null],
    ["any other day", "30 2 * * *", "Europe/Vienna", "2026-10-26T01:30Z", null],
    ["UTC", "30 2 * * *", "UTC", "2026-03-29T02:30Z", null],
  ] as const)("%s", (...[, text, zone, instant, mark]) => {
    expect(at(text, zone, instant)).toEqual(mark);
  });

  it("an `every` has no gap, and the local time of its slot may come twice", () => {
    const schedule = { ...every(hours(1)), timezone: "Europe/Vienna" };

    expect(slotMark(schedule, new Date("2026-03-29T01:00Z"))).toBeNull();
    expect(slotMark(schedule, new Date("2026-10-25T00:00Z"))).toEqual({ kind: "overlap", pass: 1 });
  });

  it("law: a daily time is marked just where Temporal says that it does not exist or comes twice", () => {
    const zones = [
      "Europe/Vienna",
      "America/New_York",
      "Australia/Lord_Howe",
      "Africa/Cairo",
      "Europe/Dublin",
      "America/Havana",
      "Asia/Kolkata",
    ];
    const from = new Date("2026-01-01T00:00Z");
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 59 }),
        (zone, hour, minute) => {
          const schedule = cron(`${String(minute)} ${String(hour)} * * *`, zone);
          for (const slot of slotsBetween(schedule, from, new Date("2027-01-01T00:00Z"), 400).slots) {
            const local = Temporal.Instant.fromEpochMilliseconds(slot.getTime()).toZonedDateTimeISO(zone);
            const named = local.toPlainDate().toPlainDateTime({ hour, minute });
            const [early, late] = (["earlier", "later"] as const).map(
              (disambiguation) => named.toZonedDateTime(zone, { disambiguation }).epochMilliseconds,
            );
            const exists = named.toZonedDateTime(zone).toPlainDateTime().equals(named);
            const wanted = exists
              ? early === late
                ? null
                : { kind: "overlap", pass: slot.getTime() === early ? 1 : 2 }
              : { kind: "gap", named: named.toPlainTime().toString({ smallestUnit: "minute" }) };

            expect([slot.toISOString(), slotMark(schedule, slot)]).toEqual([slot.toISOString(), wanted]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
