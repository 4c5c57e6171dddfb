import { describe, expect, it } from "vitest";
import { clockChanges } from "../../../src/calendar/index.ts";

const from = new Date("2026-01-01T00:00:00.000Z");
const until = new Date("2028-01-01T00:00:00.000Z");
const changes = (cron: string, timezone = "Europe/Vienna") =>
  clockChanges({ timing: { kind: "cron", cron }, timezone }, from, until);

describe("changes of the clock that a schedule meets", () => {
  it("names the gap and the overlap of a fixed time, and what happens there", () => {
    expect(changes("30 2 * * *")).toEqual([
      { kind: "gap", date: "2026-03-29", at: "02:30", from: "02:00", until: "03:00", runsAt: "03:00" },
      { kind: "overlap", date: "2026-10-25", at: "02:30", from: "02:00", until: "03:00", runsAt: "02:30" },
    ]);
  });

  it("an interval within the gap has no slot there", () => {
    expect(changes("*/20 2 * * *")[0]).toMatchObject({ kind: "gap", at: "02:00", runsAt: null });
  });

  it("follows a zone whose clock moves by half an hour", () => {
    expect(changes("15 2 * * *", "Australia/Lord_Howe")).toMatchObject([
      { kind: "gap", date: "2026-10-04", from: "02:00", until: "02:30", runsAt: "02:30" },
    ]);
  });

  it("finds a year's only day within the two years", () => {
    expect(changes("30 2 28 3 *")).toMatchObject([{ kind: "gap", date: "2027-03-28" }]);
  });

  it.each([
    ["another hour", "30 3 * * *", "Europe/Vienna"],
    ["another weekday", "30 2 * * 1", "Europe/Vienna"],
    ["every hour", "30 * * * *", "Europe/Vienna"],
    ["UTC", "30 2 * * *", "UTC"],
    ["a zone without changes", "30 2 * * *", "Asia/Tokyo"],
  ])("says nothing of %s", (_what, cron, timezone) => {
    expect(changes(cron, timezone)).toEqual([]);
  });

  it("says nothing of an interval aligned to the epoch", () => {
    expect(
      clockChanges({ timing: { kind: "every", everyMs: 60_000 }, timezone: "Europe/Vienna" }, from, until),
    ).toEqual([]);
  });
});
