import { type PathRule, pathMatcher, type TrustSpec } from "../../spec/index.ts";
import { type AllowedSigner, type AllowedSigners, namesOf, parseAllowedSigners } from "../signers/allowed-signers.ts";
import { type Person, peopleOf } from "./people.ts";

export type TrustPolicy = TrustSpec;

/** `spec.trust` of one orrery.yaml. */
export type PolicyRead =
  | { readonly kind: "policy"; readonly policy: TrustPolicy; readonly ruleLines: readonly number[] }
  | { readonly kind: "unreadable"; readonly message: string };

/** What one tree says about who may commit on top of it. */
export interface TrustGrounds {
  readonly policy: TrustPolicy;
  /** Why orrery.yaml cannot be used, or null. Then nobody may change anything. */
  readonly policyDefect: string | null;
  /** First match wins; null = everyone may change everything. */
  readonly rules: readonly TrustRule[] | null;
  /** Null where the tree has no signers file: nobody may sign. */
  readonly signersText: string | null;
  readonly allowed: AllowedSigners;
  readonly people: ReadonlyMap<AllowedSigner, Person>;
  /** Public key blobs of the sites' recorders. */
  readonly recorderKeys: readonly Uint8Array[];
  /** From which policy and rules were made. */
  readonly read: PolicyRead;
}

export interface TrustRule extends PathRule {
  /** In orrery.yaml, from 1; 0 where it is not known. */
  readonly line: number;
  readonly matches: (path: string) => boolean;
}

export interface GroundsReader {
  /** Text of `keys/spec_signers` in this tree, or null. */
  readSigners(tree: string): string | null;
  /** `spec.trust` of `orrery.yaml`; null where there is none: then `require`, `firstParent`, everyone. */
  readPolicy(tree: string): PolicyRead | null;
  /** Public key blobs in `sites/*.yaml`. */
  recorderKeys(tree: string): readonly Uint8Array[];
}

export const strictPolicy: TrustPolicy = {
  commits: "require",
  merges: "firstParent",
  groups: {},
  paths: null,
  forges: [],
};

const noPolicy: PolicyRead = { kind: "policy", policy: strictPolicy, ruleLines: [] };

export const everyone = "everyone";

/** What a repository without rules says; of a squash by a forge it still wants that somebody approved it. */
export const anyPath: TrustRule = { match: "**", by: everyone, approvals: 0, line: 0, matches: () => true };

/**
 * What a tree says. `before`: grounds of another tree, given back as they are where this one says the same, so that a
 * branch of a thousand commits reads three hundred keys once.
 */
export function readGrounds(reader: GroundsReader, tree: string, before: TrustGrounds | null = null): TrustGrounds {
  const signersText = reader.readSigners(tree);
  const read = reader.readPolicy(tree) ?? noPolicy;
  const recorderKeys = reader.recorderKeys(tree);
  const isSame = before?.read === read && before.signersText === signersText && before.recorderKeys === recorderKeys;
  if (isSame) return before;
  const keys = before?.signersText === signersText ? before : keysOf(signersText);
  const { allowed, people } = keys;
  const common = { signersText, allowed, people, recorderKeys, read };
  // Unreadable is not absent: a slip in orrery.yaml must not give its rules away.
  if (read.kind === "unreadable") return { ...common, policy: strictPolicy, policyDefect: read.message, rules: [] };
  const policy = { ...read.policy, forges: forgeNames(read.policy.forges, people) };
  return { ...common, policy, policyDefect: null, rules: rulesOf(read) };
}

function keysOf(signersText: string | null): Pick<TrustGrounds, "allowed" | "people"> {
  const allowed = parseAllowedSigners(signersText ?? "");
  return { allowed, people: peopleOf(allowed.signers) };
}

/** A forge's key must not count as a person's for a capital letter or a second line of its own. */
function forgeNames(forges: TrustPolicy["forges"], people: TrustGrounds["people"]): TrustPolicy["forges"] {
  if (forges.length === 0) return forges;
  const named = new Set(forges.map((name) => name.toLowerCase()));
  const isNamed = (signer: AllowedSigner): boolean => namesOf(signer).some((name) => named.has(name.toLowerCase()));
  const behind = new Set([...people].flatMap(([signer, person]) => (isNamed(signer) ? [person] : [])));
  const others = [...people].flatMap(([signer, person]) => (behind.has(person) ? namesOf(signer) : []));
  return [...new Set([...forges, ...others])];
}

function rulesOf({ policy, ruleLines }: Extract<PolicyRead, { readonly kind: "policy" }>): readonly TrustRule[] | null {
  return (
    policy.paths?.map((rule, index) => ({ ...rule, line: ruleLines[index] ?? 0, matches: pathMatcher(rule.match) })) ??
    null
  );
}

/** The rule that counts for a path; null = nobody may change it. */
export const ruleFor = (rules: readonly TrustRule[], path: string): TrustRule | null =>
  rules.find((rule) => rule.matches(path)) ?? null;

/** Does this line of the signers file belong to `by`? A forge's key belongs to nobody. */
export function isOf(by: string, signer: AllowedSigner, policy: TrustPolicy): boolean {
  if (isForge(signer, policy)) return false;
  if (by === everyone) return true;
  const members = Object.hasOwn(policy.groups, by) ? (policy.groups[by] ?? []) : [];
  return namesOf(signer).some((name) => members.includes(name));
}

export const isForge = (signer: AllowedSigner, { forges }: TrustPolicy): boolean =>
  namesOf(signer).some((name) => forges.includes(name));

/** `orrery.yaml:12`, or the file alone. */
export const placeOf = ({ line }: Pick<TrustRule, "line">): string =>
  line === 0 ? "orrery.yaml" : `orrery.yaml:${line}`;

/** `security (sam@hq.example, sif@hq.example)`. */
export function whoIs(by: string, { groups }: TrustPolicy): string {
  if (by === everyone) return "everyone in keys/spec_signers";
  const members = Object.hasOwn(groups, by) ? (groups[by] ?? []) : [];
  const shown = members.slice(0, 5).join(", ");
  return `${by} (${members.length > 5 ? `${shown} and ${members.length - 5} more` : shown})`;
}
