import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { checkSchedule, nextSlot, shortestInterval, slotScope, slotsBetween } from "../../../src/calendar/index.ts";
import { cron, every, hours, minutes } from "./schedule-fixture.ts";

const at = (text: string): Date => new Date(text);

describe("checkSchedule", () => {
  it.each(["30 3 * * *", "@daily", "0 0 L * *", "0 0 * * 5#3", "0 9 15W * *", "0 0 29 2 *", "*/5 8-17 * * MON-FRI"])(
    "takes %s",
    (text) => {
      expect(checkSchedule(cron(text, "Europe/Vienna"))).toBeNull();
    },
  );

  it.each([
    ["* * * * * *", "exactly 5 parts"],
    ["61 * * * *", "61"],
    ["5/15 * * * *", "stepping"],
    ["H 3 * * *", "illegal characters"],
    ["0 0 31 2 *", "never fires"],
    ["@reboot", "not supported"],
    ["", "configuration"],
    ["0 3 * * * ; rm", "7 parts"],
  ])("refuses %j and says why", (text, why) => {
    expect(checkSchedule(cron(text))?.message).toContain(why);
  });

  it.each(["", "Foo/Bar", "+02:00", "Europe/Vienna\u0000", "../etc/passwd"])("refuses the zone %j", (zone) => {
    expect(checkSchedule(cron("0 3 * * *", zone))?.message).toContain("no time zone");
  });

  it("refuses an interval below a second or of no number", () => {
    expect(checkSchedule(every(15_000))).toBeNull();
    for (const ms of [0, 999, -5, 1000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(checkSchedule(every(ms))?.message).toContain("one second");
    }
  });
});

describe("slots", () => {
  it("lie after the instant and never on it", () => {
    const schedule = cron("30 3 * * *");

    expect(nextSlot(schedule, at("2026-05-01T03:29:59.999Z"))).toEqual(at("2026-05-01T03:30:00Z"));
    expect(nextSlot(schedule, at("2026-05-01T03:30:00.000Z"))).toEqual(at("2026-05-02T03:30:00Z"));
    expect(nextSlot(schedule, at("2026-05-01T03:30:00.500Z"))).toEqual(at("2026-05-02T03:30:00Z"));
  });

  it("of every are aligned to the epoch, whatever the zone", () => {
    const schedule = { ...every(minutes(15)), timezone: "Asia/Kathmandu" };

    expect(nextSlot(schedule, at("2026-05-01T03:07:00Z"))).toEqual(at("2026-05-01T03:15:00Z"));
    expect(nextSlot(schedule, at("2026-05-01T03:15:00Z"))).toEqual(at("2026-05-01T03:30:00Z"));
    expect(nextSlot(every(7000), new Date(0))).toEqual(new Date(7000));
  });

  it("take day of month or day of week when both are set, and both with +", () => {
    const window = [at("2026-06-01T00:00:01Z"), at("2026-06-30T23:00:00Z"), 100] as const;

    expect(slotsBetween(cron("0 0 13 * FRI"), ...window).slots.map((d) => d.getUTCDate())).toEqual([5, 12, 13, 19, 26]);
    expect(slotsBetween(cron("0 0 13 * +SAT"), ...window).slots.map((d) => d.getUTCDate())).toEqual([13]);
  });

  it("stop at max and say so", () => {
    const window = slotsBetween(every(1000), new Date(0), new Date(10_000), 3);

    expect(window.slots.map((d) => d.getTime())).toEqual([1000, 2000, 3000]);
    expect(window.truncated).toBe(true);
    expect(slotsBetween(every(1000), new Date(0), new Date(3000), 3).truncated).toBe(false);
  });
});

describe("shortestInterval", () => {
  const from = at("2026-01-01T00:00:00Z");

  it.each([
    ["* * * * *", minutes(1)],
    ["*/2 * * * *", minutes(2)],
    ["*/40 * * * *", minutes(20)],
    ["0,59 * * * *", minutes(1)],
    ["30 3 * * *", hours(24)],
    ["0 0,23 * * *", hours(1)],
    ["0 0,23 * * MON", hours(23)],
    ["0 9 * * MON-FRI", hours(24)],
    ["0 9 * * MON,FRI", hours(72)],
    ["0 0 1 * *", 28 * hours(24)],
    ["@hourly", hours(1)],
    ["0,1 3 29 2 *", minutes(1)],
    ["0 8-16/4 * * *", hours(4)],
    ["0 0 29 2 *", 1461 * hours(24)],
  ])("of %s is %d ms", (text, ms) => {
    expect(shortestInterval(cron(text, "Europe/Vienna"), from)).toBe(ms);
  });

  it("equals the least distance of slots that are counted out", () => {
    for (const text of ["5,20,50 */7 * * *", "3 1,4,22 * * TUE,THU", "*/25 3-5 2,3 * *", "0 12 L * *", "0 0 * * 5#3"]) {
      const { slots } = slotsBetween(cron(text), from, at("2030-01-01T00:00:00Z"), 3000);
      const least = Math.min(...slots.slice(1).map((slot, i) => slot.getTime() - (slots[i]?.getTime() ?? 0)));

      expect([text, shortestInterval(cron(text), from)]).toEqual([text, least]);
    }
  });

  it("of every is what it says", () => {
    expect(shortestInterval(every(15_000), from)).toBe(15_000);
  });
});

describe("slotScope", () => {
  it("shows the slot in the schedule's zone", () => {
    expect(slotScope(cron("30 3 * * *", "Europe/Vienna"), at("2026-03-30T01:30:00Z"))).toEqual({
      utc: "2026-03-30T01:30:00.000Z",
      local: "2026-03-30T03:30:00",
      date: "2026-03-30",
      previous: "2026-03-29T01:30:00.000Z",
    });
  });

  it("counts midnight as 00 of the new day", () => {
    expect(slotScope(cron("0 0 * * *", "Pacific/Kiritimati"), at("2026-03-29T10:00:00Z"))).toMatchObject({
      local: "2026-03-30T00:00:00",
      date: "2026-03-30",
    });
  });

  it("of every knows the slot before", () => {
    expect(slotScope(every(minutes(15)), at("2026-03-29T10:00:00Z")).previous).toBe("2026-03-29T09:45:00.000Z");
  });
});

it("gives the same slots in any zone and locale of the process", () => {
  const script = `
    import { nextSlot, slotScope, slotsBetween } from "./src/calendar/index.ts";
    const s = (cron, timezone) => ({ timing: { kind: "cron", cron }, timezone });
    const out = [["30 2 * * *", "Europe/Vienna"], ["*/30 * * * *", "Australia/Lord_Howe"], ["0 0 * * FRI", "UTC"]].map(([c, z]) =>
      [slotsBetween(s(c, z), new Date("2026-03-27T00:00:00Z"), new Date("2026-04-07T00:00:00Z"), 50).slots, slotScope(s(c, z), nextSlot(s(c, z), new Date("2026-03-28T23:00:00Z")))]);
    console.log(JSON.stringify(out));`;
  const run = (env: Record<string, string>): string =>
    execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "utf8",
    });

  const here = run({ TZ: "UTC", LC_ALL: "C" });

  expect(JSON.parse(here)).toHaveLength(3);
  expect(run({ TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8" })).toBe(here);
  expect(run({ TZ: "America/St_Johns", LC_ALL: "ar_EG.UTF-8", LANG: "fa_IR.UTF-8" })).toBe(here);
}, 60_000);
