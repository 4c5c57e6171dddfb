import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommitBudget } from "../../../src/recorder/commit-budget.ts";

const options = { burst: 60, refillMs: 43_200 };
const dayMs = 24 * 3_600_000;
const none = { commitsMs: [], isWhole: true };

/** A recorder reads the newest commits of the branch when it starts. */
const restarted = (commits: readonly number[], nowMs: number): CommitBudget =>
  new CommitBudget(options, { commitsMs: commits.slice(-120), isWhole: commits.length <= 120 }, nowMs);

describe("CommitBudget", () => {
  it("lets at most 2,060 commits through in any day, however eagerly they are asked for and restarted", () => {
    let nowMs = 0;
    let commits: number[] = [];
    let budget = new CommitBudget(options, none, nowMs);
    while (nowMs < 2 * dayMs) {
      const waitMs = budget.waitMs(nowMs);
      if (waitMs === 0) {
        budget.takeAnyway(nowMs);
        commits = [...commits, nowMs];
        if (commits.length % 97 === 0) budget = restarted(commits, nowMs);
      } else nowMs += waitMs;
    }

    const busiest = commits.map((start, at) => commits.findLastIndex((end) => end < start + dayMs) - at + 1);
    expect(Math.max(...busiest)).toBeLessThanOrEqual(2060);
    expect(commits.length).toBeGreaterThan(4000);
  });

  it("is full again after a restart on a branch that was quiet", () => {
    const commits = Array.from({ length: 500 }, (_, n) => n * 300_000);

    const budget = restarted(commits, 500 * 300_000);

    for (let n = 0; n < options.burst; n++) {
      expect(budget.waitMs(500 * 300_000)).toBe(0);
      budget.takeAnyway(500 * 300_000);
    }
  });

  it("never waits longer than one refill for each commit that it is in debt", () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.nat({ max: 10_000_000 }), (taken, laterMs) => {
        const budget = new CommitBudget(options, { commitsMs: Array<number>(taken).fill(0), isWhole: true }, laterMs);

        const waitMs = budget.waitMs(laterMs);

        expect(waitMs).toBeLessThanOrEqual(Math.max(0, taken - options.burst + 1) * options.refillMs + 1);
        expect(budget.waitMs(laterMs + waitMs)).toBe(0);
      }),
    );
  });

  it("goes on refilling when the wall clock went back a year", () => {
    const budget = new CommitBudget({ burst: 1, refillMs: 1000 }, none, dayMs * 365);
    budget.takeAnyway(dayMs * 365);

    expect(budget.waitMs(0)).toBe(1000);
    expect(budget.waitMs(1000)).toBe(0);
  });
});
