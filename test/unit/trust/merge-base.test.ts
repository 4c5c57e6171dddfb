import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drained } from "../../../src/base/index.ts";
import { mergeBase, sideCommits } from "../../../src/trust/history/commits-between.ts";
import type { TrustCommit } from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";

const who = (seconds: number) => ({ name: "", email: "", seconds });
const commit = (oid: string, parents: readonly string[], seconds: number): TrustCommit => ({
  ...{ oid, parents, tree: oid, author: who(seconds), committer: who(seconds) },
  ...{ payload: new Uint8Array(), signature: null, defect: null },
});

const node = fc.record({ parents: fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 2 }), seconds: fc.nat(30) });
const graph = fc.record({
  nodes: fc.array(node, { minLength: 2, maxLength: 14 }),
  ours: fc.nat(40),
  theirs: fc.nat(40),
});

/** Commits with any times, each on top of earlier ones, and a merge of two of them. */
function built({ nodes, ours, theirs }: typeof graph extends fc.Arbitrary<infer G> ? G : never) {
  const commits = new Map<string, TrustCommit>();
  for (const [n, { parents, seconds }] of nodes.entries()) {
    const before = n === 0 ? [] : [...new Set(parents.map((parent) => `c${parent % n}`))];
    commits.set(`c${n}`, commit(`c${n}`, before, seconds));
  }
  const merge = commit("merge", [`c${ours % nodes.length}`, `c${theirs % nodes.length}`], 99);
  const readCommit = (oid: string): TrustCommit => commits.get(oid) ?? merge;
  return { merge, readCommit };
}

function behind(oid: string, readCommit: (oid: string) => TrustCommit): ReadonlySet<string> {
  const all = new Set([oid]);
  for (const each of all) for (const parent of readCommit(each).parents) all.add(parent);
  return all;
}

/** By the definition: common ancestors that no other common ancestor has behind it. */
function basesOf({ merge, readCommit }: ReturnType<typeof built>): readonly string[] {
  const [ours = new Set<string>(), theirs = new Set<string>()] = merge.parents.map((oid) => behind(oid, readCommit));
  const common = [...ours].filter((oid) => theirs.has(oid));
  return common.filter((oid) => !common.some((other) => other !== oid && behind(other, readCommit).has(oid)));
}

describe("whatever times commits bear", () => {
  it("the base of a merge is the one that there is, or none", () => {
    let found = 0;
    fc.assert(
      fc.property(graph, (given) => {
        const made = built(given);
        const side = drained(sideCommits(made.merge, made.readCommit));

        const base = drained(mergeBase(made.merge, side, made.readCommit));

        if (base === null) return;
        found++;
        expect(basesOf(made)).toEqual([base.oid]);
      }),
      { numRuns: rounds(3000, 50_000) },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it("what a merge brings in is all of it, and more at most", () => {
    fc.assert(
      fc.property(graph, (given) => {
        const { merge, readCommit } = built(given);
        const [ours = "", theirs = ""] = merge.parents;
        const known = behind(ours, readCommit);

        const side = new Set(drained(sideCommits(merge, readCommit)).map(({ oid }) => oid));

        for (const oid of behind(theirs, readCommit)) expect(side.has(oid) || known.has(oid)).toBe(true);
      }),
      { numRuns: rounds(1000, 20_000) },
    );
  });

  it("and where they run forwards, one base is always found", () => {
    fc.assert(
      fc.property(graph, ({ nodes, ...tips }) => {
        const made = built({ ...tips, nodes: nodes.map((each, n) => ({ ...each, seconds: n })) });
        const side = drained(sideCommits(made.merge, made.readCommit));
        const bases = basesOf(made);

        const base = drained(mergeBase(made.merge, side, made.readCommit));

        expect(base?.oid ?? null).toBe(bases.length === 1 ? bases[0] : null);
      }),
      { numRuns: rounds(1000, 20_000) },
    );
  });
});
