import { bytesOfText, type CodeName, drained, faultOf, type Hex, hexOf, type Steps } from "../../base/index.ts";
import { ApprovalBook } from "../approval/approval-book.ts";
import { ApprovalMatch } from "../approval/approval-match.ts";
import { type Refusal, refused } from "../authority/refusal.ts";
import { type GroundsReader, readGrounds, strictPolicy, type TrustGrounds } from "../authority/trust-grounds.ts";
import { CommitLine } from "../history/commit-line.ts";
import { firstParents } from "../history/first-parents.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import { type AllowedSigners, parseAllowedSigners } from "../signers/allowed-signers.ts";
import type { CommitCase, CommitSigner, Trusted, WalkRoom } from "./commit-case.ts";
import { judgeCommit } from "./judge-commit.ts";
import type { TrustWalkOptions } from "./trust-options.ts";

export interface VerifiedCommit extends CommitSigner {
  readonly oid: string;
  /** First parent. */
  readonly parent: string | null;
}

export interface TrustWalk {
  /** The newest commit of the longest verified prefix: the last of `newly`, else what was verified before. */
  readonly verified: { readonly oid: string } | null;
  /** Oldest first. */
  readonly newly: readonly VerifiedCommit[];
  /** The first commit that may not stand, and why; what follows it was not looked at. */
  readonly stalled: { readonly commit: string; readonly code: CodeName; readonly message: string } | null;
  /** How the first revision came to be trusted, if this walk verified it; else null. */
  readonly trustedBy: "pinned" | "first_use" | null;
  /** SHA-256 of the signers file that the first revision was checked with; null where `trustedBy` is. */
  readonly signersSha256: Hex | null;
}

/**
 * Verifies along first parents from the verified revision to `head`: each commit with the keys and the policy in the
 * tree of its first parent, then it is the ground for the next (DESIGN.md section 4). So the verdict does not depend on
 * how many commits arrive at once, and removing a key revokes it for all that follows, by position.
 *
 * On first use the chain starts at the oldest commit that its own signers file (or the pinned one) lets stand; what lies
 * before it is unverified history. With `merges: all`, every commit that a merge brings in must be signed by a key that
 * the merge's first parent knows: a key revoked since cannot come back through an old branch.
 *
 * Pure. What `readCommit` throws of the line passes through; what cannot be read in or behind one commit refuses that one.
 */
export const walkTrust = (options: TrustWalkOptions): TrustWalk => drained(trustSteps(options));

/** The same walk, pausing at each commit: a push may bring tens of thousands. */
export function* trustSteps(options: TrustWalkOptions): Steps<TrustWalk> {
  const path = yield* firstParents((oid) => options.readCommit(oid), options.verified?.commit ?? null, options.head);
  if (path.kind === "rewound") return stalledAt(options, options.head, refused("TRUST_REWIND", path.message));
  if (path.base === null) return yield* walkFromFirst(options, path.commits);
  const ground = { commit: path.base, grounds: readGrounds(options, path.base.tree) };
  return { ...(yield* walkOn(options, ground, path.commits)), trustedBy: null, signersSha256: null };
}

const bookOf = (options: TrustWalkOptions): ApprovalBook => new ApprovalBook(() => options.approvals(), options.crypto);

function roomOf(options: TrustWalkOptions, commits: readonly TrustCommit[], book: ApprovalBook): WalkRoom {
  const readCommit = (oid: string): TrustCommit => options.readCommit(oid);
  const line = new CommitLine(commits, readCommit);
  return {
    options,
    book,
    match: new ApprovalMatch({ reader: options, readCommit, crypto: options.crypto, line }),
    sound: new WeakSet(),
  };
}

interface Ground {
  readonly commit: TrustCommit;
  readonly grounds: TrustGrounds;
}

function* walkFromFirst(options: TrustWalkOptions, commits: readonly TrustCommit[]): Steps<TrustWalk> {
  const pinned = options.pinnedSigners === null ? null : parseAllowedSigners(options.pinnedSigners);
  const [finding] = pinned?.findings ?? [];
  if (finding !== undefined) {
    const message = `the pinned signers file, line ${finding.line}: ${finding.message}`;
    return stalledAt(options, options.head, refused("TRUST_SIGNERS_FILE", message));
  }
  const first = yield* firstRevision(options, commits, pinned);
  if (first.kind === "refused") return stalledAt(options, options.head, first);
  const { commit, grounds, signer } = first;
  const walk = yield* walkOn(options, first, commits.slice(commits.indexOf(commit) + 1));
  const signers = bytesOfText(options.pinnedSigners ?? grounds.signersText ?? "");
  return {
    ...walk,
    newly: [{ oid: commit.oid, parent: commit.parents[0] ?? null, ...signer }, ...walk.newly],
    trustedBy: pinned === null ? "first_use" : "pinned",
    signersSha256: hexOf(options.crypto.sha256(signers)),
  };
}

interface FirstRevision extends Ground {
  readonly kind: "first";
  readonly signer: CommitSigner;
}

function* firstRevision(
  options: TrustWalkOptions,
  commits: readonly TrustCommit[],
  pinned: AllowedSigners | null,
): Steps<FirstRevision | Refusal> {
  let newest: Refusal | null = null;
  for (const commit of commits) {
    yield;
    const read = groundsOf(options, commit, null);
    if (read.kind === "refused") {
      newest = read;
      continue;
    }
    const own = read.grounds;
    // A pin means that a signature is wanted, whatever the tree that it is to judge says of itself.
    const against = pinned === null ? own : { ...own, policy: strictPolicy, allowed: pinned };
    const verdict = yield* judged(roomOf(options, [], bookOf(options)), { commit, parent: null, against, own });
    if (verdict.kind === "trusted") return { kind: "first", commit, grounds: own, signer: verdict.signer };
    newest = verdict;
  }
  const whose = pinned === null ? "its own keys/spec_signers" : "the pinned signers file";
  const message = `no commit up to ${shortOid(options.head)} is signed by a key of ${whose}: ${newest?.message ?? ""}`;
  return refused("TRUST_FIRST_USE", message);
}

type LineWalk = Pick<TrustWalk, "verified" | "newly" | "stalled">;

/**
 * An approval of base..head is of what is left at its head. So where the walk stops before a head, it counts for nothing
 * on the way there: else a commit that nobody saw would stand, because the one that takes it back may not.
 */
function* walkOn(options: TrustWalkOptions, from: Ground, commits: readonly TrustCommit[]): Steps<LineWalk> {
  const book = bookOf(options);
  const whole = yield* walkLine(roomOf(options, commits, book), from, commits);
  let walk = whole;
  for (let line = commits; walk.stalled !== null && isAheadOf(walk, line); ) {
    line = line.slice(0, walk.newly.length);
    walk = yield* walkLine(roomOf(options, line, book), from, line);
  }
  const { stalled } = whole;
  const waiting = whole.newly[walk.newly.length];
  if (stalled === null || waiting === undefined) return { ...walk, stalled };
  const message = `${stalled.message}; commit ${shortOid(waiting.oid)} was approved up to there or further, and waits with it`;
  return { ...walk, stalled: { ...stalled, message } };
}

/** Does something stand by an approval of a commit that does not? */
function isAheadOf({ newly }: LineWalk, line: readonly TrustCommit[]): boolean {
  const rest = new Set(line.slice(newly.length).map(({ oid }) => oid));
  return newly.some(({ approvals }) => approvals.some(({ head }) => rest.has(head)));
}

function* walkLine(room: WalkRoom, from: Ground, commits: readonly TrustCommit[]): Steps<LineWalk> {
  const newly: VerifiedCommit[] = [];
  let { commit: parent, grounds } = from;
  for (const commit of commits) {
    yield;
    const own = groundsOf(room.options, commit, grounds);
    const verdict =
      own.kind === "refused" ? own : yield* judged(room, { commit, parent, against: grounds, own: own.grounds });
    if (verdict.kind === "refused") {
      const { code, message } = verdict;
      return { verified: { oid: parent.oid }, newly, stalled: { commit: commit.oid, code, message } };
    }
    newly.push({ oid: commit.oid, parent: parent.oid, ...verdict.signer });
    parent = commit;
    if (own.kind === "grounds") grounds = own.grounds;
  }
  return { verified: { oid: parent.oid }, newly, stalled: null };
}

function* judged(room: WalkRoom, each: CommitCase): Steps<Trusted | Refusal> {
  try {
    return yield* judgeCommit(room, each);
  } catch (error) {
    return unreadable(each.commit, error);
  }
}

/**
 * What the commit leaves as ground for the next. A tree that cannot be read (a file too large, an object missing) stops
 * this commit alone: what was verified before it must not depend on what was pushed with it.
 */
function groundsOf(
  options: GroundsReader,
  commit: TrustCommit,
  before: TrustGrounds | null,
): { readonly kind: "grounds"; readonly grounds: TrustGrounds } | Refusal {
  try {
    return { kind: "grounds", grounds: readGrounds(options, commit.tree, before) };
  } catch (error) {
    return unreadable(commit, error);
  }
}

/** What lies in a commit (too large, too deep, an object that is missing) is its own fault; the world's is not. */
function unreadable(commit: TrustCommit, error: unknown): Refusal {
  const { code, disposition, message } = faultOf(error);
  if (disposition !== "stall") throw error;
  return refused(code, `commit ${shortOid(commit.oid)}: ${message}`);
}

function stalledAt(options: TrustWalkOptions, commit: string, { code, message }: Refusal): TrustWalk {
  const verified = options.verified === null ? null : { oid: options.verified.commit };
  return { verified, newly: [], stalled: { commit, code, message }, trustedBy: null, signersSha256: null };
}
