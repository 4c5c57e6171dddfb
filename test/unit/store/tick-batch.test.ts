import { describe, expect, it } from "vitest";
import type { ClaimedRun, Verdict } from "../../../src/store/index.ts";
import { claimMax, itemsText, type Job, settleTurn, takeTurn } from "../../../src/store/postgres/tick-batch.ts";

const fail = (): void => undefined;
const items = (first: number, count: number, chars = 10): Job => ({
  kind: "outcomes",
  items: [...Array(count).keys()].map((at) => ({ n: first + at, text: "x".repeat(chars) })),
  settle: () => undefined,
  fail,
});

describe("a turn", () => {
  it("takes all that gathered, in order, and leaves the queue empty", () => {
    const queue: Job[] = [
      items(1, 2),
      { kind: "claim", max: 3, settle: () => undefined, fail },
      { kind: "claim", max: 4, settle: () => undefined, fail },
    ];

    const turn = takeTurn(queue);

    expect([turn.length, queue.length, claimMax(turn), itemsText(turn, "marks")]).toEqual([3, 0, 7, null]);
  });

  it("stops before its cap of items or bytes, but always takes the first call", () => {
    const many = [items(1, 900), items(901, 200)];
    const large = [items(1, 1, 5 * 1024 * 1024), items(2, 1)];

    expect([takeTurn(many).length, takeTurn(large).length]).toEqual([1, 1]);
    expect([many.length, large.length]).toEqual([1, 1]);
  });

  it("gives each call its own verdicts and claims, and takes silence for fenced", () => {
    const heard: unknown[] = [];
    const call = (numbers: number[]): Job => ({
      kind: "settles",
      items: numbers.map((n) => ({ n, text: "{}" })),
      settle: (verdicts: ReadonlyMap<number, Verdict>) => heard.push([...verdicts.values()]),
      fail,
    });
    const claim = (max: number): Job => ({ kind: "claim", max, settle: (runs) => heard.push(runs.length), fail });
    const claimed = [{}, {}, {}] as ClaimedRun[];

    settleTurn([call([1, 2]), claim(2), call([3]), claim(2)], {
      verdicts: { settles: { stored: [1], duplicate: [3] } },
      vtime: 0,
      claimed,
      news: null,
    });

    expect(heard).toEqual([["stored", "fenced"], 2, ["duplicate"], 1]);
  });
});
