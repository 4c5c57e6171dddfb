import type { Steps } from "../../base/index.ts";
import type { TreeChange } from "../history/tree-changes.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import type { AllowedSigner } from "../signers/allowed-signers.ts";
import { type Refusal, refused } from "./refusal.ts";
import { isOf, placeOf, ruleFor, type TrustGrounds, type TrustRule, whoIs } from "./trust-grounds.ts";

/** What a commit needs besides its signature: for each rule that one of its paths falls under, that path. */
export type RuledPaths = ReadonlyMap<TrustRule, RuledPath>;

export interface RuledPath {
  readonly path: string;
  /** How many more. */
  readonly others: number;
}

const pathsPerStep = 200;

/** The rules that these paths fall under. A path that no rule matches is nobody's to change. */
export function* ruledPaths(
  commit: TrustCommit,
  paths: Iterable<Pick<TreeChange, "path">>,
  rules: readonly TrustRule[],
): Steps<RuledPaths | Refusal> {
  const ruled = new Map<TrustRule, RuledPath>();
  let seen = 0;
  for (const { path } of paths) {
    const rule = ruleFor(rules, path);
    if (rule === null) {
      const message = `commit ${shortOid(commit.oid)} changes ${path}, which no rule of trust.paths lets anybody change`;
      return refused("TRUST_AUTHORITY", message);
    }
    const first = ruled.get(rule);
    ruled.set(rule, first === undefined ? { path, others: 0 } : { ...first, others: first.others + 1 });
    if (++seen % pathsPerStep === 0) yield;
  }
  return ruled;
}

/** May this signer change what falls under these rules? Null = yes. */
export function judgeAuthority(
  commit: TrustCommit,
  signer: AllowedSigner,
  { policy }: TrustGrounds,
  ruled: RuledPaths,
): Refusal | null {
  for (const [rule, { path, others }] of ruled) {
    if (isOf(rule.by, signer, policy)) continue;
    const what = others === 0 ? path : `${path} and ${others} more`;
    const message = `commit ${shortOid(commit.oid)} by ${signer.principal} changes ${what}`;
    return refused("TRUST_AUTHORITY", `${message}; ${placeOf(rule)} gives that to ${whoIs(rule.by, policy)}`);
  }
  return null;
}
