import type { Hex, Steps } from "../../base/index.ts";
import type { RuledPaths } from "../authority/demands.ts";
import { authorMarks, isAmong, type Person } from "../authority/people.ts";
import { type Refusal, refused } from "../authority/refusal.ts";
import { isOf, placeOf, type TrustGrounds, type TrustRule, whoIs } from "../authority/trust-grounds.ts";
import { shortOid } from "../history/trust-commit.ts";
import type { ApprovalBook, Approver } from "./approval-book.ts";
import type { ApprovalMatch, Landing } from "./approval-match.ts";
import type { Approval } from "./approval-text.ts";

/** An approval that let a commit in, as records name it. */
export interface CountedApproval {
  readonly head: string;
  readonly planHash: Hex;
  /** Principal. */
  readonly approver: string;
  /** Fingerprint. */
  readonly key: string;
  readonly sha256: Hex;
}

/** An approval of a change by somebody whose key may approve; whether it counts, a rule says. */
export interface Voice {
  readonly approval: Approval;
  readonly approver: Approver;
  readonly person: Person;
  /** Wrote, committed or signed what it approves. */
  readonly isAuthor: boolean;
}

export interface CountRequest {
  readonly landing: Landing;
  readonly atSeconds: number;
  readonly grounds: TrustGrounds;
  readonly ruled: RuledPaths;
  /** A forge signed it: one more has to approve, in the place of a signer, and that one may be its author. */
  readonly isForges: boolean;
}

/** Are there approvals enough for every rule? Those that count, by sha256, or why the commit waits. */
export function* countApprovals(
  book: ApprovalBook,
  match: ApprovalMatch,
  request: CountRequest,
): Steps<readonly CountedApproval[] | Refusal> {
  const wanted = [...request.ruled.keys()].filter((rule) => request.isForges || rule.approvals > 0);
  if (wanted.length === 0) return [];
  const voices = yield* voicesOn(book, match, request);
  const counted = new Map<Hex, CountedApproval>();
  for (const rule of wanted) {
    const own = voices.filter(({ approver }) => isOf(rule.by, approver.signer, request.grounds.policy));
    const rejected = own.find(({ approval }) => approval.verdict === "reject");
    if (rejected !== undefined) return rejection(request, rule, rejected);
    if (!isEnough(own, rule, request.isForges)) return missing(request, rule, own);
    for (const voice of own)
      if (request.isForges || !voice.isAuthor) counted.set(voice.approval.sha256, asCounted(voice));
  }
  return [...counted.values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}

export function* voicesOn(
  book: ApprovalBook,
  match: ApprovalMatch,
  request: Pick<CountRequest, "landing" | "atSeconds" | "grounds" | "isForges">,
): Steps<readonly Voice[]> {
  const voices: Voice[] = [];
  for (const approval of yield* book.approvals()) {
    yield;
    const approver = book.approverOf(approval, request.grounds, request.atSeconds);
    if (typeof approver === "string") continue;
    const commits = yield* match.approved(approval, request.landing, request.isForges);
    const person = request.grounds.people.get(approver.signer);
    if (commits === null || person === undefined) continue;
    voices.push({ approval, approver, person, isAuthor: isAmong(person, authorMarks(commits)) });
  }
  return voices;
}

/** Without a word of an author, but for the one who stands in for a forge. */
export function isEnough(voices: readonly Voice[], { approvals }: TrustRule, isForges: boolean): boolean {
  const others = new Set(voices.filter(({ isAuthor }) => !isAuthor).map(({ person }) => person));
  const all = new Set(voices.map(({ person }) => person));
  return others.size >= approvals && (!isForges || all.size > approvals);
}

function missing(request: CountRequest, rule: TrustRule, voices: readonly Voice[]): Refusal {
  const { ruled, grounds, isForges } = request;
  const others = new Set(voices.filter(({ isAuthor }) => isForges || !isAuthor).map(({ person }) => person));
  const wanted = rule.approvals + (isForges ? 1 : 0);
  const own = voices.some(({ isAuthor }) => isAuthor) && !isForges ? "; an author's own does not count" : "";
  const needs = `${placeOf(rule)} wants ${wanted} of ${whoIs(rule.by, grounds.policy)}`;
  const has = `${others.size} of ${wanted} approvals there${own}`;
  return refused("APPROVALS_MISSING", `${changeOf(request, ruled.get(rule))}; ${needs}; ${has}`);
}

function rejection(request: CountRequest, rule: TrustRule, { approval, approver }: Voice): Refusal {
  const by = `${approver.signer.principal} rejected it: ${approval.reason}`;
  return refused("APPROVALS_MISSING", `${changeOf(request, request.ruled.get(rule))} (${placeOf(rule)}); ${by}`);
}

function changeOf({ landing }: CountRequest, ruled: { readonly path: string; readonly others: number } | undefined) {
  const { path = "", others = 0 } = ruled ?? {};
  return `commit ${shortOid(landing.commit.oid)} changes ${path}${others === 0 ? "" : ` and ${others} more`}`;
}

export const asCounted = ({ approval, approver }: Voice): CountedApproval => ({
  head: approval.head,
  planHash: approval.planHash,
  approver: approver.signer.principal,
  key: approver.fingerprint,
  sha256: approval.sha256,
});
