import { describe, expect, it } from "vitest";
import { FullRound } from "../../../src/reconciler/full-round.ts";

const tenants = ["a", "b", "c"];

/** Which tenants one pass looks at, and whether it was the last. */
function pass(round: FullRound): readonly [string, boolean] {
  round.begin();
  const looked = tenants.filter((tenant) => round.wants(tenant)).join("");
  return [looked, round.isComplete];
}

describe("a round over all tenants", () => {
  it("is one pass where nobody waits", () => {
    expect(pass(new FullRound(() => false))).toEqual(["abc", true]);
  });

  it("makes room for who waits, and ends however many do: one tenant a pass", () => {
    const round = new FullRound(() => true);

    expect([pass(round), pass(round), pass(round)]).toEqual([
      ["a", false],
      ["b", false],
      ["c", true],
    ]);
  });

  it("is complete where no tenant is asked about: the site is stalled", () => {
    const round = new FullRound(() => true);
    round.begin();

    expect(round.isComplete).toBe(true);
  });
});
