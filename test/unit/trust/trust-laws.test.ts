import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrustPolicy } from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";
import { approve, FakeHistory, planOf, signersFile, start } from "./fake-history.ts";

const names = ["ana", "bob", "cid"] as const;
const person = fc.constantFrom(...names, null);
const groups = { devs: ["ana@acme.example", "bob@acme.example"], guards: ["bob@acme.example", "cid@acme.example"] };
const paths: TrustPolicy["paths"] = [
  { match: "docs/**", by: "everyone", approvals: 0 },
  { match: "dags/**", by: "devs", approvals: 0 },
  { match: "{orrery.yaml,keys/**}", by: "everyone", approvals: 0 },
  { match: "quota/**", by: "guards", approvals: 1 },
];
const policy = fc.record({
  commits: fc.constantFrom("none" as const, "warn" as const, "require" as const, "require" as const),
  merges: fc.constantFrom("firstParent" as const, "all" as const),
  groups: fc.constant(groups),
  paths: fc.constantFrom(null, paths),
});
const file = fc.record({
  path: fc.constantFrom("docs/a", "dags/a", "dags/b", "quota/a", "elsewhere"),
  text: fc.constantFrom("1", "2", null),
});
const step = fc.record({
  by: person,
  forged: fc.constantFrom(false, false, false, true),
  signers: fc.option(fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }), { freq: 2 }),
  policy: fc.option(policy, { freq: 2 }),
  files: fc.array(file, { maxLength: 2 }),
  side: fc.array(fc.record({ by: person, file }), { maxLength: 2 }),
  late: fc.constantFrom(0, 0, 0, -400, 200_000),
});
const word = fc.record({
  by: fc.constantFrom(...names),
  from: fc.nat(8),
  to: fc.nat(8),
  verdict: fc.constantFrom("approve" as const, "approve" as const, "approve" as const, "reject" as const),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Word = typeof word extends fc.Arbitrary<infer S> ? S : never;

const filesOf = (files: Step["files"]) => ({ files: Object.fromEntries(files.map(({ path, text }) => [path, text])) });

/** A branch of those steps, and what people said of parts of it. */
function built(steps: readonly Step[], words: readonly Word[]) {
  const history = new FakeHistory();
  const first = { signers: signersFile(...names), policy: { groups, paths } };
  const line = [history.commit({ by: "ana", tree: first })];
  for (const { by, forged, signers, policy: set, files, side, late } of steps) {
    const parent = line.at(-1)!;
    let tip = parent;
    for (const each of side) tip = history.commit({ by: each.by, parents: [tip], tree: filesOf([each.file]) });
    const tree = {
      ...filesOf(files),
      ...(signers === null ? {} : { signers: signersFile(...signers) }),
      ...(set === null ? {} : { policy: set }),
    };
    const parents = tip === parent ? [parent] : [parent, tip];
    line.push(history.commit({ by, forged, tree, parents, seconds: start + line.length * 10 + late }));
  }
  for (const { by, from, to, verdict } of words) {
    const [base, head] = [line[from], line[to]];
    if (base === undefined || head === undefined) continue;
    approve(history, by, { base, head, verdict, planHash: planOf(history, base, head) });
  }
  return { history, line };
}

const steps = fc.array(step, { maxLength: 8 });
const words = fc.array(word, { maxLength: 6 });

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
      { numRuns: rounds(400, 10000) },
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
