import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSchedule } from "../../../src/calendar/index.ts";
import { cronDefect } from "../../../src/spec/check/cron-defect.ts";

const isGood = (cron: string): boolean => checkSchedule({ timing: { kind: "cron", cron }, timezone: "UTC" }) === null;

const numbers = (least: number, most: number): fc.Arbitrary<string> =>
  fc.oneof(fc.integer({ min: least, max: most }), fc.integer({ min: 0, max: 99 })).map(String);
const part = (least: number, most: number, ...names: string[]): fc.Arbitrary<string> => {
  const one = fc.oneof(
    numbers(least, most),
    fc.constantFrom("*", "?", "L", "LW", "15W", "1#2", "5L", "H", "", "-1", ...names),
  );
  const range = fc.tuple(one, one).map(([from, to]) => `${from}-${to}`);
  const stepped = fc
    .tuple(fc.oneof(one, range), fc.constantFrom("0", "1", "2", "15", "x", ""))
    .map((two) => two.join("/"));
  return fc.array(fc.oneof(one, range, stepped), { minLength: 1, maxLength: 3 }).map((all) => all.join(","));
};

describe("what is wrong with a cron pattern", () => {
  it("law: refuses nothing that the calendar takes", () => {
    let good = 0;
    const fields = [part(0, 59), part(0, 23), part(1, 31), part(1, 12, "JAN", "dec"), part(0, 7, "mon", "FRI")];
    const pattern = fc
      .tuple(fc.nat({ max: 4 }), ...fields)
      .map(([which, ...all]) => all.map((text, index) => (index === which ? text : "*")).join(" "));
    fc.assert(
      fc.property(pattern, (cron) => {
        if (!isGood(cron)) return;
        good += 1;
        expect([cron, cronDefect(cron)]).toEqual([cron, null]);
      }),
      { numRuns: 1500 },
    );
    expect(good).toBeGreaterThan(50);
  });

  it("answers for any text, with a place within it", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const defect = cronDefect(text);
        if (defect === null) return;
        expect(defect.offset).toBeLessThanOrEqual(text.length);
        expect(defect.fix).not.toBe("");
      }),
    );
  });
});
