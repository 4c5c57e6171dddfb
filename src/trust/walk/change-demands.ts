import { bytesOfText, drained, type Hex, hexOf } from "../../base/index.ts";
import { ApprovalBook } from "../approval/approval-book.ts";
import { asCounted, type CountedApproval, isEnough, type Voice, voicesOn } from "../approval/approval-count.ts";
import { ApprovalMatch, type Landing } from "../approval/approval-match.ts";
import { planHash } from "../approval/plan-hash.ts";
import { authorMarks, isAmong } from "../authority/people.ts";
import { ableOf, approvalNamespace, gitNamespace } from "../authority/tree-verdict.ts";
import {
  anyPath,
  isForge,
  isOf,
  readGrounds,
  ruleFor,
  type TrustGrounds,
  type TrustRule,
} from "../authority/trust-grounds.ts";
import { CommitLine } from "../history/commit-line.ts";
import { commitsBetween } from "../history/commits-between.ts";
import { firstParents } from "../history/first-parents.ts";
import { treeChanges } from "../history/tree-changes.ts";
import type { TrustCommit } from "../history/trust-commit.ts";
import type { AllowedSigner } from "../signers/allowed-signers.ts";
import { judgeSignature } from "./commit-verdict.ts";
import type { TreeReader, TrustWalkOptions } from "./trust-options.ts";
import type { TrustWalk } from "./trust-walk.ts";

/** What a change as a whole needs by the rules of its base, and what of it is there. */
export interface ChangeDemands {
  /** What `approve` signs. */
  readonly planHash: Hex;
  readonly commits: TrustGrounds["policy"]["commits"];
  /** By the place of the rule; paths that no rule matches last. */
  readonly demands: readonly RuleDemand[];
}

/** What one rule wants of the paths that fall under it. */
export interface RuleDemand {
  /** null = no rule matches: nobody may change these paths. */
  readonly rule: Pick<TrustRule, "match" | "by" | "approvals" | "line"> | null;
  /** In byte order. */
  readonly paths: readonly string[];
  /** Principals whose signature it takes, in the order of the signers file. */
  readonly maySign: readonly string[];
  /** Who signed the commits that touch these paths, oldest first, each once. */
  readonly signedBy: readonly Signature[];
  /** How many others have to approve. */
  readonly wanted: number;
  /** Approvals that count, by sha256. */
  readonly approvedBy: readonly CountedApproval[];
  /** Principals who said no: the change waits until that is taken back. */
  readonly rejectedBy: readonly string[];
  readonly isApproved: boolean;
  /** Principals whose approval would count besides. */
  readonly mayApprove: readonly string[];
}

export interface Signature {
  /** null = no key of the base's signers file, or none at all. */
  readonly principal: string | null;
  readonly commits: readonly string[];
  /** Whether the rule lets this signer change its paths. */
  readonly may: boolean;
}

export interface DemandsRequest extends Pick<TrustWalkOptions, "head" | "readCommit" | "crypto"> {
  readonly reader: TreeReader;
  readonly base: string;
  /** What the trust walk from `base` to `head` said. */
  readonly walk: Pick<TrustWalk, "newly">;
}

interface Room {
  readonly request: DemandsRequest;
  readonly grounds: TrustGrounds;
  readonly rules: readonly TrustRule[];
  readonly landing: Landing;
  /** Along first parents, oldest first; none where the head does not descend from the base. */
  readonly commits: readonly TrustCommit[];
  readonly atSeconds: number;
  /** A forge put the whole change in as one commit: somebody else has to stand for it. */
  readonly byForge: boolean;
}

/**
 * Takes the change from `base` to `head` as one, as a merge or a squash lands it: which rule of the base's tree each path
 * falls under, who may sign and approve it, who did. It judges nothing; that a branch stands, only its walk can say.
 * Pure; what the readers throw passes through.
 */
export function changeDemands(request: DemandsRequest): ChangeDemands {
  const room = roomOf(request);
  const { reader, crypto } = request;
  const { commit, parent } = room.landing;
  const touched = pathsByRule(room, parent.tree, commit.tree);
  const voices = room.rules.some(({ approvals }) => approvals > 0) || room.byForge ? voicesOf(room) : [];
  const signatures = signaturesOf(room);
  return {
    planHash: drained(planHash(reader, { before: parent.tree, after: commit.tree }, crypto.sha256)),
    commits: room.grounds.policy.commits,
    demands: [...room.rules, null].flatMap((rule) => {
      const paths = touched.get(rule);
      return paths === undefined ? [] : [demandOf(room, { rule, paths, voices, signatures })];
    }),
  };
}

function roomOf(request: DemandsRequest): Room {
  const [parent, commit] = [request.readCommit(request.base), request.readCommit(request.head)];
  const path = drained(firstParents((oid) => request.readCommit(oid), request.base, request.head));
  const grounds = readGrounds(request.reader, parent.tree);
  const commits = path.kind === "rewound" ? [] : path.commits;
  return {
    ...{ request, grounds, rules: grounds.rules ?? [anyPath], landing: { commit, parent }, commits },
    atSeconds: Math.max(commit.committer.seconds, parent.committer.seconds),
    byForge: isSquash(request, grounds, { parent, commits }),
  };
}

function isSquash(
  { crypto }: DemandsRequest,
  grounds: TrustGrounds,
  { parent, commits }: { readonly parent: TrustCommit; readonly commits: readonly TrustCommit[] },
): boolean {
  const [only, second] = commits;
  if (only === undefined || second !== undefined || only.parents.length !== 1) return false;
  const signed = judgeSignature(only, { grounds, notBefore: parent.committer.seconds }, crypto);
  return signed.kind === "signed" && signed.line !== null && isForge(signed.line, grounds.policy);
}

type PathsByRule = ReadonlyMap<TrustRule | null, readonly string[]>;

function pathsByRule({ request, rules }: Room, before: string, after: string): PathsByRule {
  const found = new Map<TrustRule | null, string[]>();
  for (const { path } of treeChanges(request.reader.readTree, before, after)) {
    const rule = ruleFor(rules, path);
    const paths = found.get(rule);
    if (paths === undefined) found.set(rule, [path]);
    else paths.push(path);
  }
  const byteOrder = (path: string): string => hexOf(bytesOfText(path));
  for (const paths of found.values()) paths.sort((a, b) => (byteOrder(a) < byteOrder(b) ? -1 : 1));
  return found;
}

function voicesOf({ request, landing, commits, atSeconds, grounds, byForge }: Room): readonly Voice[] {
  const { reader, crypto } = request;
  const readCommit = (oid: string): TrustCommit => request.readCommit(oid);
  const book = new ApprovalBook(() => reader.approvals(), crypto);
  const match = new ApprovalMatch({ reader, readCommit, crypto, line: new CommitLine(commits, readCommit) });
  return drained(voicesOn(book, match, { landing, atSeconds, grounds, isForges: byForge }));
}

/** One commit, who signed it by the keys of the base, and what it touches. */
interface SignedCommit {
  readonly oid: string;
  readonly line: AllowedSigner | null;
  readonly touched: PathsByRule;
}

function signaturesOf(room: Room): readonly SignedCommit[] {
  const { request, grounds, landing } = room;
  let before = landing.parent;
  return room.commits.map((commit) => {
    const notBefore = before.committer.seconds;
    const signed = judgeSignature(commit, { grounds, notBefore }, request.crypto);
    const touched = pathsByRule(room, before.tree, commit.tree);
    before = commit;
    return { oid: commit.oid, line: signed.kind === "signed" ? signed.line : null, touched };
  });
}

interface RuleCase {
  readonly rule: TrustRule | null;
  readonly paths: readonly string[];
  readonly voices: readonly Voice[];
  readonly signatures: readonly SignedCommit[];
}

function demandOf(room: Room, { rule, paths, voices, signatures }: RuleCase): RuleDemand {
  const { grounds, atSeconds } = room;
  const touching = signatures.filter(({ touched }) => touched.has(rule));
  if (rule === null) {
    const nobody = { maySign: [], wanted: 0, approvedBy: [], rejectedBy: [], isApproved: false, mayApprove: [] };
    return { rule, paths, ...nobody, signedBy: signedBy(touching, () => false) };
  }
  const { byForge } = room;
  const own = voices.filter(({ approver }) => isOf(rule.by, approver.signer, grounds.policy));
  const { match, by, approvals, line } = rule;
  return {
    ...{ rule: { match, by, approvals, line }, paths, wanted: approvals + (byForge ? 1 : 0) },
    maySign: principalsOf(ableOf(gitNamespace, by, grounds, atSeconds)),
    signedBy: signedBy(touching, (signer) => byForge || isOf(by, signer, grounds.policy)),
    ...approvalsOf(room, { rule, own, byForge, touching }),
  };
}

interface ApprovalCase {
  readonly rule: TrustRule;
  /** Voices of the rule's group on the change as a whole. */
  readonly own: readonly Voice[];
  readonly byForge: boolean;
  readonly touching: readonly SignedCommit[];
}

function approvalsOf(
  room: Room,
  { rule, own, byForge, touching }: ApprovalCase,
): Pick<RuleDemand, "approvedBy" | "rejectedBy" | "isApproved" | "mayApprove"> {
  const yes = own.filter(({ approval, isAuthor }) => approval.verdict === "approve" && (byForge || !isAuthor));
  // Where nobody is asked, nobody can say no: so the walk takes it.
  const asked = rule.approvals > 0 || byForge ? own : [];
  const rejectedBy = principalsOf(
    asked.filter(({ approval }) => approval.verdict === "reject").map((voice) => voice.approver.signer),
  );
  const each = countedOneByOne(room, rule, touching);
  const counted = new Map([...yes.map(asCounted), ...(each ?? [])].map((approval) => [approval.sha256, approval]));
  const approvedBy = [...counted.values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
  return {
    ...{ approvedBy, rejectedBy },
    isApproved: rejectedBy.length === 0 && (each !== null || isEnough(own, rule, byForge)),
    mayApprove: rule.approvals === 0 && !byForge ? [] : mayApprove(room, rule, { approvedBy, byForge }),
  };
}

/** What the walk counted where it let each of these commits in by itself; null where it did not. */
function countedOneByOne(
  { request, grounds }: Room,
  { by }: TrustRule,
  touching: readonly SignedCommit[],
): readonly CountedApproval[] | null {
  const verified = new Map(request.walk.newly.map((commit) => [commit.oid, commit]));
  if (touching.length === 0 || !touching.every(({ oid }) => verified.has(oid))) return null;
  const isOfGroup = ({ approver }: CountedApproval): boolean =>
    grounds.allowed.signers.some((signer) => signer.principal === approver && isOf(by, signer, grounds.policy));
  return touching.flatMap(({ oid }) => verified.get(oid)?.approvals.filter(isOfGroup) ?? []);
}

/** Those of the group who could, wrote nothing of it and have not said so yet. */
function mayApprove(
  { request, grounds, atSeconds, landing }: Room,
  { by }: TrustRule,
  { approvedBy, byForge }: { readonly approvedBy: readonly CountedApproval[]; readonly byForge: boolean },
): readonly string[] {
  const readCommit = (oid: string): TrustCommit => request.readCommit(oid);
  const between = commitsBetween(readCommit, { known: [landing.parent.oid], tips: [landing.commit.oid] });
  const authors = authorMarks(drained(between));
  const said = new Set(approvedBy.map(({ approver }) => approver));
  const others = ableOf(approvalNamespace, by, grounds, atSeconds).filter((signer) => {
    const person = grounds.people.get(signer);
    return person !== undefined && (byForge || !isAmong(person, authors)) && !said.has(signer.principal);
  });
  return principalsOf(others);
}

function signedBy(commits: readonly SignedCommit[], may: (signer: AllowedSigner) => boolean): readonly Signature[] {
  const found = new Map<string | null, { principal: string | null; commits: string[]; may: boolean }>();
  for (const { oid, line } of commits) {
    const principal = line?.principal ?? null;
    const known = found.get(principal);
    if (known === undefined) found.set(principal, { principal, commits: [oid], may: line !== null && may(line) });
    else known.commits.push(oid);
  }
  return [...found.values()];
}

const principalsOf = (signers: readonly AllowedSigner[]): readonly string[] => [
  ...new Set(signers.map(({ principal }) => principal)),
];
