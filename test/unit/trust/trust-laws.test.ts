import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rounds } from "../../support/effort.ts";
import { built, steps, words } from "./random-history.ts";

describe("laws", () => {
  it("any split of a history into pushes gives the same verified revision", () => {
    fc.assert(
      fc.property(steps, words, fc.array(fc.boolean(), { maxLength: 9 }), (made, said, pushes) => {
        const { history, line } = built(made, said);
        const head = line.at(-1)!;
        const atOnce = history.walk(null, head);

        let verified: string | null = null;
        const newly: string[] = [];
        for (const [index, oid] of line.entries()) {
          if (pushes[index] !== true && oid !== head) continue;
          const walk = history.walk(verified, oid);
          newly.push(...walk.newly.map((commit) => commit.oid));
          verified = walk.verified?.oid ?? null;
        }

        expect(verified).toBe(atOnce.verified?.oid ?? null);
        expect(newly).toEqual(atOnce.newly.map(({ oid }) => oid));
      }),
      { numRuns: rounds(250, 10000) },
    );
  });

  it("verified commits are a chain from the first revision, and under require each has a principal", () => {
    fc.assert(
      fc.property(steps, words, (made, said) => {
        const { history, line } = built(made, said);
        const { newly, verified } = history.walk(null, line.at(-1)!);

        expect(newly.map(({ oid }) => oid)).toEqual(line.slice(0, newly.length));
        expect(verified?.oid).toBe(newly.at(-1)?.oid);
        for (const { parent, principal } of newly) {
          const before = history.treeOf(parent ?? "").policy;
          const commits = typeof before === "object" && before !== null ? (before.commits ?? "require") : "require";
          expect(commits !== "require" || principal !== null).toBe(true);
        }
      }),
    );
  });

  it("whatever was verified still stands with more approvals, and without rejections", () => {
    fc.assert(
      fc.property(steps, words, (made, said) => {
        const { history, line } = built(made, said);
        const head = line.at(-1)!;
        const before = history.walk(null, head).newly.length;

        const kind = new Set(said.map(({ verdict }) => verdict));
        const praised = built(
          made,
          said.map((each) => ({ ...each, verdict: "approve" as const })),
        );
        const after = praised.history.walk(null, head).newly.length;

        expect(after >= before || !kind.has("reject")).toBe(true);
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});
