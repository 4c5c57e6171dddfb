import fc from "fast-check";
import type { TrustPolicy } from "../../../src/trust/index.ts";
import { approve, FakeHistory, planOf, signersFile, start } from "./fake-history.ts";

const names = ["ana", "bob", "cid", "forge"] as const;
const mail = (name: string): string => `${name}@acme.example`;
const groups = { devs: ["ana", "bob"].map(mail), guards: ["ana", "bob", "cid"].map(mail) };
const forges = [mail("forge")];
const paths: TrustPolicy["paths"] = [
  { match: "docs/**", by: "everyone", approvals: 0 },
  { match: "dags/**", by: "devs", approvals: 0 },
  { match: "{orrery.yaml,keys/**}", by: "everyone", approvals: 0 },
  { match: "quota/**", by: "guards", approvals: 1 },
];
const firstTree = { signers: signersFile(...names), policy: { groups, paths, forges } };

const person = fc.constantFrom(...names);
const policy = fc.record({
  commits: fc.constantFrom(
    "none" as const,
    "warn" as const,
    "require" as const,
    "require" as const,
    "require" as const,
  ),
  merges: fc.constantFrom("firstParent" as const, "all" as const),
  groups: fc.constant(groups),
  paths: fc.constantFrom(null, paths, paths),
  forges: fc.constantFrom(forges, []),
});
const deep = `${"x/".repeat(66)}x`;
const file = fc.record({
  path: fc.constantFrom("docs/a", "docs/b", "dags/a", "dags/b", "quota/a", "quota/a", "quota/b", "elsewhere", deep),
  text: fc.constantFrom("1", "2", null),
});
const soundFile = fc.record({
  path: fc.constantFrom("docs/a", "docs/b", "dags/a", "quota/a", "quota/a"),
  text: fc.constantFrom("1", "2", null),
});
const seldom = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: some });
const sideCommit = fc.record({ by: fc.oneof(person, fc.constant(null)), file: soundFile });
/** Mostly by somebody who may, so that branches grow long before they break. */
const step = fc.record({
  by: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("ana", "bob") },
    { weight: 3, arbitrary: fc.constantFrom("cid", "forge", null) },
  ),
  author: seldom(person),
  forged: seldom(fc.constant(true)),
  signers: seldom(fc.uniqueArray(person, { maxLength: 4 })),
  policy: seldom(policy),
  files: fc.array(fc.oneof({ weight: 5, arbitrary: soundFile }, { weight: 1, arbitrary: file }), { maxLength: 2 }),
  /** Commits of a branch, and from how far back it left. */
  side: fc.oneof(
    { weight: 2, arbitrary: fc.array(sideCommit, { maxLength: 0 }) },
    { weight: 1, arbitrary: fc.array(sideCommit, { maxLength: 2 }) },
  ),
  left: fc.nat(2),
  /** Does the merge take what the branch brings? */
  takes: fc.constantFrom(true, true, false),
  late: fc.constantFrom(0, 0, 0, 0, 0, -40, -400, 200_000),
});
/** Somebody speaks of from..from+length, mostly of one commit or two. */
const word = fc.record({
  by: person,
  from: fc.nat(7),
  length: fc.constantFrom(1, 1, 1, 2, 2, 3),
  verdict: fc.constantFrom(
    "approve" as const,
    "approve" as const,
    "approve" as const,
    "approve" as const,
    "reject" as const,
  ),
});

export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
export type Word = typeof word extends fc.Arbitrary<infer S> ? S : never;
export const steps = fc.array(step, { minLength: 1, maxLength: 8 });
export const words = fc.array(word, { maxLength: 12 });

const filesOf = (files: Step["files"]) => ({ files: Object.fromEntries(files.map(({ path, text }) => [path, text])) });

export interface RandomHistory {
  readonly history: FakeHistory;
  /** Along first parents; the first is trusted. */
  readonly line: readonly string[];
  readonly said: readonly (Omit<Word, "from" | "length"> & { readonly base: string; readonly head: string })[];
}

/** A branch of those steps, and what people said of parts of it. */
export function built(made: readonly Step[], spoken: readonly Word[]): RandomHistory {
  const history = new FakeHistory();
  const line = [history.commit({ by: "ana", tree: firstTree })];
  for (const each of made) line.push(commitOf(history, line, each));
  const said = spoken.flatMap(({ by, from, length, verdict }) => {
    const [base, head] = [line[from], line[from + length]];
    if (base === undefined || head === undefined || tooDeep(history, head) || tooDeep(history, base)) return [];
    approve(history, by, { base, head, verdict, planHash: planOf(history, base, head) });
    return [{ by, verdict, base, head }];
  });
  return { history, line, said };
}

const tooDeep = (history: FakeHistory, oid: string): boolean => (history.treeOf(oid).files[deep] ?? null) !== null;

function commitOf(history: FakeHistory, line: readonly string[], step: Step): string {
  const { by, author, forged, signers, policy: set, files, side, left, takes, late } = step;
  const parent = line.at(-1) ?? "";
  let tip = line.at(-1 - left) ?? parent;
  for (const each of side) tip = history.commit({ by: each.by, parents: [tip], tree: filesOf([each.file]) });
  const brought = takes ? side.map((each) => each.file) : [];
  const tree = {
    ...filesOf(side.length > 0 && by === "forge" ? brought : [...brought, ...files]),
    ...(signers === null ? {} : { signers: signersFile(...signers) }),
    ...(set === null ? {} : { policy: set }),
  };
  const parents = side.length === 0 ? [parent] : [parent, tip];
  const seconds = start + line.length * 30 + late;
  return history.commit({
    by,
    ...(author === null ? {} : { author }),
    forged: forged === true,
    tree,
    parents,
    seconds,
  });
}
