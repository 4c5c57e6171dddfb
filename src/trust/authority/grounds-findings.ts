import type { CodeName } from "../../base/index.ts";
import { namesOf } from "../signers/allowed-signers.ts";
import { isSatisfiable, signersPath } from "./tree-verdict.ts";
import { isForge, ruleFor, type TrustGrounds, whoIs } from "./trust-grounds.ts";

/** What a person should know of one tree's trust before it lands. */
export interface GroundsFinding {
  readonly code: CodeName;
  readonly severity: "error" | "warning";
  /** RFC 6901 pointer into orrery.yaml and a word of what stands there, or line and column (from 1) of keys/spec_signers. */
  readonly at: { readonly pointer: string; readonly word?: string } | { readonly line: number; readonly col: number };
  readonly message: string;
  readonly fix: string;
}

/** Groups without keys, rules that nobody can satisfy, dates that revoke nothing, keys that count as one person. */
export function groundsFindings(grounds: TrustGrounds, nowSeconds: number): readonly GroundsFinding[] {
  return [...memberFindings(grounds), ...ruleFindings(grounds, nowSeconds), ...signerFindings(grounds)];
}

const ofRules = (
  severity: GroundsFinding["severity"],
  code: CodeName,
  said: Pick<GroundsFinding, "at" | "message" | "fix">,
): GroundsFinding => ({ code, severity, ...said });

function memberFindings({ policy, allowed }: TrustGrounds): readonly GroundsFinding[] {
  const known = new Set(allowed.signers.flatMap(namesOf));
  const groups = Object.entries(policy.groups).map(([name, members]) => [name, `groups/${name}`, members] as const);
  return [...groups, ["forges", "forges", policy.forges] as const].flatMap(([list, below, members]) =>
    members.flatMap((member) => {
      if (known.has(member)) return [];
      const message = `${list} names ${member}, who has no key in ${signersPath}`;
      const at = { pointer: `/spec/trust/${below}`, word: member };
      return [ofRules("warning", "TRUST_RULE", { at, message, fix: "Add the key, or remove the name." })];
    }),
  );
}

function ruleFindings(grounds: TrustGrounds, nowSeconds: number): readonly GroundsFinding[] {
  const { rules, policy } = grounds;
  if (rules === null) return [];
  const found: GroundsFinding[] = [];
  if (ruleFor(rules, signersPath) === null) {
    const message = `no rule matches ${signersPath}: nobody could change the keys again`;
    found.push(
      ofRules("error", "TRUST_LOCKOUT", {
        at: { pointer: "/spec/trust/paths" },
        message,
        fix: "Add a rule for keys/**.",
      }),
    );
  }
  for (const [index, rule] of rules.entries()) {
    if (isSatisfiable(rule, grounds, nowSeconds)) continue;
    const { by, approvals } = rule;
    const message = `needs one to sign and ${approvals} more to approve, of ${whoIs(by, policy)}: too few have a key`;
    const fix = "Add people to the group, or ask for fewer approvals.";
    found.push(ofRules("error", "TRUST_LOCKOUT", { at: { pointer: `/spec/trust/paths/${index}/by` }, message, fix }));
  }
  if (policy.commits === "require") return found;
  const message = `with commits: ${policy.commits} the rules of trust.paths stop nobody`;
  return [
    ...found,
    ofRules("warning", "TRUST_RULE", {
      at: { pointer: "/spec/trust/commits" },
      message,
      fix: "Write commits: require.",
    }),
  ];
}

function signerFindings({ allowed, people, policy, signersText }: TrustGrounds): readonly GroundsFinding[] {
  const first = new Map<unknown, string>();
  const lines = (signersText ?? "").split("\n");
  return allowed.signers.flatMap((signer): readonly GroundsFinding[] => {
    const { line, principal, validBefore } = signer;
    const of = (message: string, fix: string, word = principal): GroundsFinding => {
      const col = Math.max(0, (lines[line - 1] ?? "").toLowerCase().indexOf(word.toLowerCase())) + 1;
      return { code: "TRUST_SIGNERS_FILE", severity: "warning", at: { line, col }, message, fix };
    };
    const found: GroundsFinding[] = [];
    if (validBefore !== null) {
      const fix = "Remove the line when the key is to end: that counts by position, for every commit that follows.";
      found.push(
        of("valid-before does not revoke: who holds the key chooses the date of a commit", fix, "valid-before"),
      );
    }
    const person = people.get(signer);
    const other = first.get(person);
    if (other === undefined) first.set(person, principal);
    else if (other !== principal)
      found.push(
        of(`${principal} and ${other} share a key or a name: they count as one person`, "Give each their own."),
      );
    if (isForge(signer, policy) && Object.values(policy.groups).some((group) => group.includes(principal)))
      found.push(of(`${principal} is a forge's key: in a group it counts for nothing`, "Take it out of the group."));
    return found;
  });
}
