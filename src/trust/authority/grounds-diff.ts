import type { Sha256 } from "../../base/index.ts";
import { fingerprintOf } from "../signature/public-key.ts";
import type { TrustGrounds } from "./trust-grounds.ts";

/** Who may do more and who less after a change, in words, in byte order. */
export interface GroundsDiff {
  /** `key SHA256:… of eve@acme.example`, `eve@acme.example in operators`, `keys/** by security, 1 approval`. */
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** Keys, groups, forges, rules and policy of one tree against another's. The order of the rules counts, too. */
export function groundsDiff(before: TrustGrounds, after: TrustGrounds, sha256: Sha256): GroundsDiff {
  const [had, has] = [wordsOf(before, sha256), wordsOf(after, sha256)];
  const moved = had.rules.length === has.rules.length && had.rules.every((rule) => has.rules.includes(rule));
  const isMoved = moved && had.rules.some((rule, at) => rule !== has.rules[at]);
  const [old, now] = [new Set([...had.words, ...had.rules]), new Set([...has.words, ...has.rules])];
  return {
    gained: [...[...now].filter((word) => !old.has(word)).sort(), ...(isMoved ? ["another order of trust.paths"] : [])],
    lost: [...old].filter((word) => !now.has(word)).sort(),
  };
}

interface Words {
  readonly words: readonly string[];
  /** In their order: the first match wins. */
  readonly rules: readonly string[];
}

function wordsOf({ allowed, policy, rules }: TrustGrounds, sha256: Sha256): Words {
  const keys = allowed.signers.map(({ blob, principal, namespaces, validAfter, validBefore }) => {
    const dates = [dateText(" from ", validAfter), dateText(" until ", validBefore)].join("");
    return `key ${fingerprintOf(blob, sha256)} of ${principal}${namespaces === null ? "" : ` for ${namespaces}`}${dates}`;
  });
  const members = Object.entries(policy.groups).flatMap(([group, names]) => names.map((name) => `${name} in ${group}`));
  return {
    words: [
      ...[...keys, ...members, ...policy.forges.map((forge) => `forge ${forge}`)],
      ...[`commits: ${policy.commits}`, `merges: ${policy.merges}`],
    ],
    rules: rules === null ? ["everyone may change everything"] : rules.map(ruleText),
  };
}

const dateText = (word: string, seconds: number | null): string =>
  seconds === null ? "" : word + new Date(seconds * 1000).toISOString();

const ruleText = ({ match, by, approvals }: { match: string; by: string; approvals: number }): string =>
  `${match} by ${by}${approvals === 0 ? "" : `, ${String(approvals)} ${approvals === 1 ? "approval" : "approvals"}`}`;
