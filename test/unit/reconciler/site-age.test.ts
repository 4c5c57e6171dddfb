import { describe, expect, it } from "vitest";
import { siteAge } from "../../../src/reconciler/site-age.ts";

const dayMs = 86_400_000;
const committed = Date.UTC(2026, 0, 1) / 1000;
const at = (days: number): Date => new Date(committed * 1000 + days * dayMs);
const said = (warnAfterMs: number | null, stopAfterMs: number | null, days: number): string | null => {
  const site = { tenants: ["*"], audit: { keys: [] }, offline: { warnAfterMs, stopAfterMs } };
  const age = siteAge("hq", site, committed, at(days));
  return age === null ? null : `${age.warns ? "warns" : "stops"}: ${age.message}`;
};

describe("the age of what a site knows", () => {
  it("does not count where no rule says so", () => {
    expect(said(null, null, 10_000)).toBeNull();
  });

  it("warns, then stops, each after its age and not at it", () => {
    const [warnAfter, stopAfter] = [14 * dayMs, 90 * dayMs];

    const days = [14, 14.001, 90, 90.001].map((day) => said(warnAfter, stopAfter, day)?.split(":")[0] ?? null);

    expect(days).toEqual([null, "warns", "warns", "stops"]);
    expect(said(null, stopAfter, 89)).toBeNull();
    expect(said(null, stopAfter, 91)).toMatch(/^stops/);
  });

  it("names the commit's time, the limit and the file, and says the same at each pass", () => {
    const message =
      "warns: the newest verified commit is of 2026-01-01T00:00:00.000Z, more than 14d ago (offline of sites/hq.yaml): a warning";

    expect([said(14 * dayMs, null, 15), said(14 * dayMs, null, 400)]).toEqual([message, message]);
  });
});
