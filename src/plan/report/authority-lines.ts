import { codes } from "../../base/index.ts";
import { everyone, type RuleDemand } from "../../trust/index.ts";
import { printable } from "../finding-text.ts";
import type { PlanAuthority, PlanReport } from "./plan-report.ts";

/** One rule of trust.paths and what of it is there, in words; they hold names of the repository. */
export interface DemandWords {
  /** `tenants/acme/quota.yaml and 2 more`. */
  readonly paths: string;
  /** `orrery.yaml:12 gives tenants/* /quota.yaml to operators, with 1 approval`. */
  readonly rule: string;
  /** Who may sign and approve, who did. */
  readonly facts: readonly string[];
  readonly isMet: boolean;
}

const shownPaths = 5;

export function demandWords(demand: RuleDemand): DemandWords {
  const { paths, signedBy, isApproved } = demand;
  const more = paths.length - shownPaths;
  return {
    paths: `${paths.slice(0, shownPaths).join(", ")}${more > 0 ? ` and ${String(more)} more` : ""}`,
    rule: ruleWords(demand),
    facts: [...signWords(demand), ...approvalWords(demand)],
    isMet: demand.rule !== null && isApproved && signedBy.every(({ may }) => may),
  };
}

function ruleWords({ rule, wanted }: RuleDemand): string {
  if (rule === null) return "no rule of trust.paths matches: nobody may change it";
  const whose = rule.by === everyone ? "everyone in keys/spec_signers" : rule.by;
  const with_ = wanted === 0 ? "" : `, with ${String(wanted)} ${wanted === 1 ? "approval" : "approvals"}`;
  return rule.line === 0
    ? `no trust.paths: of ${whose}${with_}`
    : `orrery.yaml:${String(rule.line)} ${rule.match} is of ${whose}${with_}`;
}

function signWords({ rule, maySign, signedBy }: RuleDemand): readonly string[] {
  const wanted = rule === null || rule.by === everyone ? [] : [`may sign: ${listOf(maySign)}`];
  const signed = signedBy.map(({ principal, commits, may }) => {
    const which = commits.map((oid) => oid.slice(0, 12)).join(", ");
    return `signed: ${principal ?? "by no key that the base knows"} (${which})${may ? "" : ", who may not"}`;
  });
  return [...wanted, ...(signed.length === 0 ? ["signed: nothing that follows the base along first parents"] : signed)];
}

function approvalWords({ wanted, approvedBy, rejectedBy, isApproved, mayApprove }: RuleDemand): readonly string[] {
  const rejected = rejectedBy.length === 0 ? [] : [`rejected by: ${listOf(rejectedBy)}`];
  if (wanted === 0) return rejected;
  const names = [...new Set(approvedBy.map(({ approver }) => approver))];
  const there = names.length === 0 ? "" : ` (${listOf(names)})`;
  const missing = isApproved ? "" : `; may approve: ${listOf(mayApprove)}`;
  return [`approvals: ${String(names.length)} of ${String(wanted)} there${there}${missing}`, ...rejected];
}

const shownPeople = 8;

function listOf(people: readonly string[]): string {
  if (people.length === 0) return "nobody";
  const more = people.length - shownPeople;
  return `${people.slice(0, shownPeople).join(", ")}${more > 0 ? ` and ${String(more)} more` : ""}`;
}

/** Rules that stop nobody, or null. */
export const laxWords = ({ commits }: PlanAuthority): string | null =>
  commits === "require" ? null : `commits: ${commits}: signatures and these rules stop nobody`;

/** What the trust walk says of the commits themselves. */
export function trustWords({ stalled, from }: Pick<PlanReport, "stalled" | "from">): string {
  if (stalled === null)
    return from === null ? "every commit stands" : "every commit stands: signed and approved as the rules say";
  const { commit, code, message } = stalled;
  return `the daemon would not follow commit ${commit.slice(0, 12)}: ${codes[code].number} ${code} ${message}`;
}

/** For a terminal: rules, people, and what of the commits stands. */
export function authorityLines(report: PlanReport): readonly string[] {
  const { authority, from } = report;
  const trust = `  ${printable(trustWords(report))}`;
  if (authority === null || from === null) return ["", "authority", trust];
  const demands = authority.demands
    .map(demandWords)
    .flatMap(({ paths, rule, facts, isMet }) => [
      `  ${isMet ? "ok" : "! "} ${printable(paths)}`,
      `       ${printable(rule)}`,
      ...facts.map((fact) => `       ${printable(fact)}`),
    ]);
  const lax = laxWords(authority);
  return [
    "",
    `authority, by the rules of ${from.slice(0, 12)}`,
    `  plan hash ${authority.planHash}`,
    ...demands,
    ...authority.people.gained.map((word) => `  may now: ${printable(word)}`),
    ...authority.people.lost.map((word) => `  may no longer: ${printable(word)}`),
    ...(lax === null ? [] : [`  ${lax}`]),
    trust,
  ];
}
