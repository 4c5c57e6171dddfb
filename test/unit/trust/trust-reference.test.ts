import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrustPolicy } from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";
import type { FakeHistory, FakeTree } from "./fake-history.ts";
import { built, type RandomHistory, steps, words } from "./random-history.ts";

// Says again, in the simplest way and sharing no code with the walk, what must be true of a commit that stands.

const contentsOf = ({ signers, policy, files }: FakeTree): ReadonlyMap<string, string> =>
  new Map(
    Object.entries({ ...files, "keys/spec_signers": signers, "orrery.yaml": JSON.stringify(policy) }).flatMap(
      ([path, text]) => (text === null ? [] : [[path, text] as const]),
    ),
  );

/** Path, before and after of everything that differs, as one text. */
function changeOf(history: FakeHistory, from: string, to: string): ReadonlyMap<string, string> {
  const [before, after] = [contentsOf(history.treeOf(from)), contentsOf(history.treeOf(to))];
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const differing = paths.filter((path) => before.get(path) !== after.get(path));
  return new Map(differing.map((path) => [path, `${path}: ${before.get(path) ?? "-"} > ${after.get(path) ?? "-"}`]));
}

const textOf = (change: ReadonlyMap<string, string>): string => [...change.values()].join("\n");

function policyOf(history: FakeHistory, oid: string): TrustPolicy {
  const { policy } = history.treeOf(oid);
  const set = typeof policy === "object" ? policy : null;
  return { commits: "require", merges: "firstParent", groups: {}, paths: null, forges: [], ...set };
}

function ruleOf(policy: TrustPolicy, path: string) {
  const beginnings: Readonly<Record<string, readonly string[]>> = { "{orrery.yaml,keys/**}": ["orrery.yaml", "keys/"] };
  const of = (match: string): readonly string[] => beginnings[match] ?? [match.replace("**", "")];
  return policy.paths?.find(({ match }) => of(match).some((beginning) => path.startsWith(beginning))) ?? null;
}

/** Who may act for `by` with the keys of this tree; a forge for nobody. */
function isOf(history: FakeHistory, oid: string, by: string, who: string): boolean {
  const policy = policyOf(history, oid);
  const mail = `${who}@acme.example`;
  const hasKey = history.treeOf(oid).signers?.includes(`${mail} `) === true;
  return hasKey && !policy.forges.includes(mail) && (by === "everyone" || policy.groups[by]?.includes(mail) === true);
}

function reach(history: FakeHistory, oid: string): ReadonlySet<string> {
  const all = new Set([oid]);
  for (const each of all) for (const parent of history.commitOf(each).parents) all.add(parent);
  return all;
}

const namesIn = (history: FakeHistory, oids: Iterable<string>): ReadonlySet<string> =>
  new Set([...oids].flatMap((oid) => [history.commitOf(oid).author.name, history.commitOf(oid).committer.name]));

type Word = RandomHistory["said"][number];

interface Landed {
  readonly made: RandomHistory;
  /** All that stands, the first revision included. */
  readonly stands: readonly string[];
  readonly at: number;
}

/** The commits that this word lets in with the one that landed; null where it is not about that. */
function spokenOf({ made, stands, at }: Landed, { verdict, base, head }: Word, ownPlanOnly: boolean) {
  const { history, line } = made;
  const [parent = "", oid = ""] = [line[at - 1], line[at]];
  const [start, end] = [line.indexOf(base), line.indexOf(head)];
  if (verdict !== "approve" || start >= at) return null;
  const between = (from: string, to: string) =>
    [...reach(history, to)].filter((each) => !reach(history, from).has(each));
  // The end stands, too: what lies between may be taken back there.
  if (!ownPlanOnly && at <= end && stands.includes(head)) return between(base, head);
  const isPlan = textOf(changeOf(history, base, head)) === textOf(changeOf(history, parent, oid));
  return isPlan ? between(parent, oid) : null;
}

/** Who said yes to this commit, and whether as one of its authors. */
function approversOf(landed: Landed, ownPlanOnly: boolean): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const word of landed.made.said) {
    const commits = spokenOf(landed, word, ownPlanOnly);
    if (commits === null) continue;
    const isAuthor = namesIn(landed.made.history, commits).has(word.by);
    found.set(word.by, (found.get(word.by) ?? true) && isAuthor);
  }
  return found;
}

interface Case {
  readonly history: FakeHistory;
  readonly parent: string;
  readonly policy: TrustPolicy;
  readonly signer: string;
  readonly kind: "person" | "merge" | "squash";
  /** With `true` for an author of it. */
  readonly approvers: ReadonlyMap<string, boolean>;
}

function pathObjections({ history, parent, policy, signer, kind, approvers }: Case, path: string): readonly string[] {
  const rule = policy.paths === null ? { by: "everyone", approvals: 0 } : ruleOf(policy, path);
  if (rule === null) return [`nobody may change ${path}`];
  const group = [...approvers].filter(([who]) => isOf(history, parent, rule.by, who));
  const others = group.filter(([, isAuthor]) => !isAuthor);
  return [
    ...(kind === "person" && !isOf(history, parent, rule.by, signer) ? [`${signer} may not change ${path}`] : []),
    ...(others.length < rule.approvals ? [`${path} lacks an approval`] : []),
    ...(kind === "squash" && group.length < rule.approvals + 1 ? [`${path} is the forge's alone`] : []),
  ];
}

const kindOf = (isForge: boolean, { merges }: TrustPolicy, parents: readonly string[]): Case["kind"] =>
  !isForge && (parents.length === 1 || merges === "firstParent") ? "person" : "merge";

/** What the rules of the parent's tree say against a commit that the walk let stand; empty = nothing. */
function objections(landed: Landed): readonly string[] {
  const { made, at } = landed;
  const { history, line } = made;
  const [parent = "", oid = ""] = [line[at - 1], line[at]];
  const policy = policyOf(history, parent);
  if (policy.commits !== "require") return [];
  const { committer, parents } = history.commitOf(oid);
  const signer = committer.name;
  const isForge = policy.forges.includes(`${signer}@acme.example`);
  const isSquash = isForge && parents.length === 1;
  const kind = isSquash ? "squash" : kindOf(isForge, policy, parents);
  const change = changeOf(history, parent, oid);
  const each: Case = { history, parent, policy, signer, kind, approvers: approversOf(landed, isSquash) };
  return [
    ...(isForge || isOf(history, parent, "everyone", signer) ? [] : [`${signer} has no key`]),
    ...[...change.keys()].flatMap((path) => pathObjections(each, path)),
    ...(isForge && !isSquash ? uncleanPaths(history, oid, change) : []),
  ];
}

/** A forge's merge adds nothing that a person did not write in one of the commits that it brings in. */
function uncleanPaths(history: FakeHistory, oid: string, change: ReadonlyMap<string, string>): readonly string[] {
  const [first = "", ...others] = history.commitOf(oid).parents;
  const known = reach(history, first);
  const side = others.flatMap((other) => [...reach(history, other)]).filter((each) => !known.has(each));
  const written = new Set(
    side.flatMap((each) =>
      [...changeOf(history, history.commitOf(each).parents[0] ?? "", each)].map(
        ([path, text]) => `${path} > ${text.split(" > ")[1] ?? ""}`,
      ),
    ),
  );
  return [...change].flatMap(([path, text]) =>
    written.has(`${path} > ${text.split(" > ")[1] ?? ""}`) ? [] : [`the forge itself changed ${path}`],
  );
}

describe("every commit that stands", () => {
  it("has what the rules of its parent ask for", () => {
    const seen = { commits: 0, approved: 0, byForge: 0, merges: 0 };
    fc.assert(
      fc.property(steps, words, (wanted, spoken) => {
        const made = built(wanted, spoken);
        const { history, line } = made;
        const { newly } = history.walk(null, line.at(-1) ?? "");
        const stands = newly.map(({ oid }) => oid);

        for (const at of stands.keys()) {
          if (at === 0) continue;
          expect([at, objections({ made, stands, at })]).toEqual([at, []]);
          const commit = history.commitOf(stands[at] ?? "");
          seen.commits++;
          if ((newly[at]?.approvals.length ?? 0) > 0) seen.approved++;
          if (newly[at]?.principal === "forge@acme.example") seen.byForge++;
          if (commit.parents.length > 1) seen.merges++;
        }
      }),
      { numRuns: rounds(600, 20_000) },
    );
    // A law about nothing holds always.
    for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
  });
});
