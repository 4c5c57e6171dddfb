import type { Steps } from "../../base/index.ts";
import { judgeAuthority, ruledPaths } from "../authority/demands.ts";
import { type Refusal, refused } from "../authority/refusal.ts";
import { isForge } from "../authority/trust-grounds.ts";
import { mergeBase, sideCommits } from "../history/commits-between.ts";
import { type MergeDeviations, mergeDeviations } from "../history/merged-trees.ts";
import { treeChanges } from "../history/tree-changes.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import type { CommitCase, WalkRoom } from "./commit-case.ts";
import { judgeTime } from "./commit-time.ts";
import { judgeSignature, letPass } from "./commit-verdict.ts";
import type { TrustWalkOptions } from "./trust-options.ts";

/** What the commits that a merge brings in answer for themselves, and what is left to the merge's signer. */
export interface MergedCommits {
  readonly kind: "merged";
  readonly warnings: readonly string[];
  /** Paths that are not as a clean merge of the parents leaves them; null = all that the merge changes. */
  readonly ownPaths: ReadonlySet<string> | null;
}

/**
 * Each commit that a merge brings in must be signed, by a key that the merge's first parent knows and to which that tree
 * gives what the commit changes: a key revoked since cannot come back through an old branch. A forge's merge must be the
 * clean merge of two parents besides.
 */
export function* judgeMergedCommits(
  room: WalkRoom,
  each: CommitCase,
  byForge: boolean,
): Steps<MergedCommits | Refusal> {
  const { options } = room;
  const { commit } = each;
  if (byForge && commit.parents.length > 2)
    return refused("TRUST_FORGE", `merge ${shortOid(commit.oid)} by a forge has more than two parents`);
  const side = yield* sideCommits(commit, (oid) => options.readCommit(oid));
  const warnings: string[] = [];
  for (const one of side) {
    yield;
    const refusal = yield* judgeSide(room, each, one);
    if (refusal === null) continue;
    const message = `merge ${shortOid(commit.oid)} brings it in: ${refusal.message}`;
    const passed = letPass(refused(refusal.code, message), each.against);
    if (passed.kind === "refused") return passed;
    warnings.push(...passed.warnings);
  }
  const deviations = yield* ownPathsOf(options, commit, side);
  const merged = { kind: "merged", warnings, ownPaths: deviations?.own ?? null } as const;
  return byForge ? (cleanRefusal(commit, deviations) ?? merged) : merged;
}

function* judgeSide(
  { options }: WalkRoom,
  { parent, against }: CommitCase,
  commit: TrustCommit,
): Steps<Refusal | null> {
  const notBefore = parent?.committer.seconds ?? 0;
  const strict = { ...against, policy: { ...against.policy, commits: "require" as const } };
  const signed = judgeSignature(commit, { grounds: strict, notBefore }, options.crypto);
  if (signed.kind === "refused") return signed;
  // Ahead of the clock, a key that counts from a later day would count now.
  const early = judgeTime(commit, null, options.now);
  if (early !== null) return early;
  const { line } = signed;
  if (line === null) return null;
  if (isForge(line, against.policy))
    return refused("TRUST_FORGE", `commit ${shortOid(commit.oid)} on the side is signed by a forge`);
  if (against.rules === null) return null;
  const own = yield* ownPathsOf(options, commit);
  const paths =
    own === null ? treeChanges(options.readTree, firstTree(options, commit), commit.tree) : asPaths(own.own);
  const ruled = yield* ruledPaths(commit, paths, against.rules);
  return "kind" in ruled ? ruled : judgeAuthority(commit, line, against, ruled);
}

/** Where a merge is not the clean one of its parents; null for what is no merge of two commits with one common base. */
function* ownPathsOf(
  options: Pick<TrustWalkOptions, "readTree" | "readCommit">,
  merge: TrustCommit,
  side?: readonly TrustCommit[],
): Steps<MergeDeviations | null> {
  const [ours, theirs, third] = merge.parents;
  if (ours === undefined || theirs === undefined || third !== undefined) return null;
  const readCommit = (oid: string): TrustCommit => options.readCommit(oid);
  const base = yield* mergeBase(merge, side ?? (yield* sideCommits(merge, readCommit)), readCommit);
  if (base === null) return null;
  const trees = { base: base.tree, ours: readCommit(ours).tree, theirs: readCommit(theirs).tree, merged: merge.tree };
  return mergeDeviations(options.readTree, trees);
}

function firstTree(options: Pick<TrustWalkOptions, "readCommit">, { parents }: TrustCommit): string | null {
  const [first] = parents;
  return first === undefined ? null : options.readCommit(first).tree;
}

const asPaths = (paths: ReadonlySet<string>): readonly { readonly path: string }[] =>
  [...paths].map((path) => ({ path }));

/** A forge's merge adds nothing, drops nothing and settles nothing. */
function cleanRefusal(merge: TrustCommit, deviations: MergeDeviations | null): Refusal | null {
  const name = `merge ${shortOid(merge.oid)} by a forge`;
  if (deviations === null) return refused("TRUST_FORGE", `${name}: its parents have no single common base`);
  const [path] = [...deviations.own, ...deviations.untaken];
  if (path === undefined) return null;
  const why = "is not what a clean merge, file by file, leaves there";
  return refused("TRUST_FORGE", `${name}: ${path} ${why}; merge the branch with the base first, or sign the merge`);
}
