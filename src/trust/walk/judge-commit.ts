import type { Steps } from "../../base/index.ts";
import { countApprovals } from "../approval/approval-count.ts";
import { judgeAuthority, ruledPaths } from "../authority/demands.ts";
import { type Refusal, refused } from "../authority/refusal.ts";
import { isTimeless, judgeGrounds } from "../authority/tree-verdict.ts";
import { anyPath, isForge, type TrustGrounds } from "../authority/trust-grounds.ts";
import { treeChanges } from "../history/tree-changes.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import type { AllowedSigner } from "../signers/allowed-signers.ts";
import type { CommitCase, CommitSigner, Trusted, WalkRoom } from "./commit-case.ts";
import { judgeTime } from "./commit-time.ts";
import { judgeSignature, letPass, type SignedBy } from "./commit-verdict.ts";
import { judgeMergedCommits, type MergedCommits } from "./merged-commits.ts";

/** Signature, time, what it leaves behind, authority over what it changes, approvals: in this order. */
export function* judgeCommit(room: WalkRoom, given: CommitCase): Steps<Trusted | Refusal> {
  const { commit, parent, own } = given;
  // The commit that names a recorder's key must not be signed with it either.
  const recorderKeys = [...given.against.recorderKeys, ...own.recorderKeys];
  const each: CommitCase = { ...given, against: { ...given.against, recorderKeys } };
  const { options } = room;
  const notBefore = parent?.committer.seconds ?? 0;
  const signed = judgeSignature(commit, { grounds: each.against, notBefore }, options.crypto);
  if (signed.kind === "refused") return signed;
  const refusal = judgeTime(commit, parent, options.now) ?? judgeOwn(room, commit, own);
  if (refusal !== null) return refusal;
  if (parent === null) return firstSigner(signed, each);
  return yield* judgeChange(room, { ...each, parent }, signed);
}

function judgeOwn({ sound }: WalkRoom, commit: TrustCommit, own: TrustGrounds): Refusal | null {
  if (sound.has(own)) return null;
  const refusal = judgeGrounds(commit, own);
  if (refusal === null && isTimeless(own)) sound.add(own);
  return refusal;
}

function firstSigner(signed: SignedBy, { commit, against }: CommitCase): Trusted | Refusal {
  if (signed.line === null || !isForge(signed.line, against.policy)) return trusted(signed, []);
  return refused("TRUST_FORGE", `commit ${shortOid(commit.oid)} is the first one and signed by a forge`);
}

type ChangeCase = CommitCase & { readonly parent: TrustCommit };

function* judgeChange(room: WalkRoom, each: ChangeCase, signed: SignedBy): Steps<Trusted | Refusal> {
  const { against } = each;
  const { line } = signed;
  const forge = line !== null && isForge(line, against.policy) ? line : null;
  const merged = yield* judgeMerged(room, each, forge !== null);
  if (merged.kind === "refused") return merged;
  const warnings = [...signed.warnings, ...merged.warnings];
  const allowed = yield* judgePaths(room, each, { line, forge, ownPaths: merged.ownPaths });
  if (allowed.kind !== "refused") return trusted({ ...signed, warnings }, allowed.approvals);
  // Without `require` what a signature would have to say is a warning at most.
  const passed = letPass(allowed, against);
  return passed.kind === "refused" ? passed : trusted({ ...signed, warnings: [...warnings, ...passed.warnings] }, []);
}

/** Where the commits that it brings in need not answer for themselves, all that a merge changes is its signer's. */
function* judgeMerged(room: WalkRoom, each: ChangeCase, byForge: boolean): Steps<MergedCommits | Refusal> {
  const { commit, against } = each;
  if (commit.parents.length > 1 && (byForge || against.policy.merges === "all"))
    return yield* judgeMergedCommits(room, each, byForge);
  return { kind: "merged", warnings: [], ownPaths: null };
}

interface Paths {
  readonly line: AllowedSigner | null;
  readonly forge: AllowedSigner | null;
  /** What a merge changes besides what it brings in; null = all that it changes is its signer's. */
  readonly ownPaths: ReadonlySet<string> | null;
}

type Allowed = { readonly kind: "allowed"; readonly approvals: CommitSigner["approvals"] };

function* judgePaths(
  { options, book, match }: WalkRoom,
  { commit, parent, against }: ChangeCase,
  { line, forge, ownPaths }: Paths,
): Steps<Allowed | Refusal> {
  const rules = against.rules ?? (forge === null ? null : [anyPath]);
  if (rules === null) return { kind: "allowed", approvals: [] };
  const ruled = yield* ruledPaths(commit, treeChanges(options.readTree, parent.tree, commit.tree), rules);
  if ("kind" in ruled) return ruled;
  if (line === null)
    return refused("TRUST_AUTHORITY", `commit ${shortOid(commit.oid)} is nobody's, and paths have rules`);
  if (forge === null) {
    const own =
      ownPaths === null
        ? ruled
        : yield* ruledPaths(
            commit,
            [...ownPaths].map((path) => ({ path })),
            rules,
          );
    const refusal = "kind" in own ? own : judgeAuthority(commit, line, against, own);
    if (refusal !== null) return refusal;
  }
  const isSquash = forge !== null && commit.parents.length === 1;
  const atSeconds = Math.max(commit.committer.seconds, parent.committer.seconds);
  const request = { landing: { commit, parent }, atSeconds, grounds: against, ruled, isForges: isSquash };
  const counted = yield* countApprovals(book, match, request);
  return "kind" in counted ? counted : { kind: "allowed", approvals: counted };
}

const trusted = ({ line, fingerprint, warnings }: SignedBy, approvals: CommitSigner["approvals"]): Trusted => ({
  kind: "trusted",
  signer: { principal: line?.principal ?? null, fingerprint, warnings, approvals },
});
