import { codes } from "../../base/index.ts";
import type { LintFinding } from "../../reconciler/index.ts";
import type { RuleOrigin } from "./rule-origin.ts";

/** A finding with where its rule comes from; `rule` null = of the language itself. */
export interface PlacedFinding extends Omit<LintFinding, "rule"> {
  readonly rule: RuleOrigin | null;
}

const maxNamed = 4;

/** `tenants/acme/quota.yaml:7 (commit 0123456789ab); ana@acme.example may change it`. */
export function ruleText({ rule, code }: PlacedFinding): string {
  if (rule === null) return `of the language itself: orrery explain ${codes[code].number}`;
  const place = rule.line === 0 ? `${rule.path} is not there: its defaults hold` : `${rule.path}:${rule.line}`;
  const commit =
    rule.line === 0 ? "" : ` (${rule.commit === null ? "not committed" : `commit ${rule.commit.slice(0, 12)}`})`;
  const [first, ...rest] = rule.changedBy;
  if (first === undefined) return `${place}${commit}; nobody may change it`;
  const more = rest.length < maxNamed ? rest : [...rest.slice(0, maxNamed - 1), `${rest.length - maxNamed + 1} more`];
  return `${place}${commit}; may be changed by ${[first, ...more].join(", ")}${approvalText(rule.approvals)}`;
}

const approvalText = (approvals: number): string =>
  approvals === 0 ? "" : `, with ${approvals} ${approvals === 1 ? "approval" : "approvals"} of others`;
