import { hexOf } from "../../base/index.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";
import { isVerifiedType } from "../signature/key-kinds.ts";
import { sameBytes } from "../signature/ssh-wire.ts";
import { type AllowedSigner, grants } from "../signers/allowed-signers.ts";
import type { Person } from "./people.ts";
import { type Refusal, refused } from "./refusal.ts";
import { everyone, isOf, placeOf, ruleFor, type TrustGrounds, type TrustRule, whoIs } from "./trust-grounds.ts";

export const gitNamespace = "git";
export const approvalNamespace = "orrery-approval";
export const signersPath = "keys/spec_signers";

/** Whether `judgeGrounds` says the same of these grounds at any time. */
export const isTimeless = ({ allowed }: TrustGrounds): boolean =>
  allowed.signers.every(({ validAfter, validBefore }) => validAfter === null && validBefore === null);

/** May what this commit leaves behind be the ground for the next one? Null = yes. */
export function judgeGrounds(commit: TrustCommit, grounds: TrustGrounds): Refusal | null {
  const name = `commit ${shortOid(commit.oid)}`;
  const [finding] = grounds.allowed.findings;
  if (finding !== undefined) {
    return refused("TRUST_SIGNERS_FILE", `${name}: ${signersPath}:${finding.line}: ${finding.message}`);
  }
  if (grounds.policyDefect !== null) return refused("TRUST_RULE", `${name}: ${grounds.policyDefect}`);
  const recorder = grounds.allowed.signers.find(({ blob }) => grounds.recorderKeys.some((key) => sameBytes(key, blob)));
  if (recorder !== undefined) {
    return refused("TRUST_RECORDER_KEY", `${name}: ${signersPath}:${recorder.line} is the key of a site's recorder`);
  }
  // Under `warn` and `none` a commit without a key can still put one in.
  if (grounds.policy.commits !== "require") return null;
  return lockout(commit.committer.seconds, grounds, name);
}

function lockout(atSeconds: number, grounds: TrustGrounds, name: string): Refusal | null {
  const { rules } = grounds;
  if (ableOf(gitNamespace, everyone, grounds, atSeconds).length === 0)
    return refused("TRUST_LOCKOUT", `after ${name} no key of ${signersPath} could sign the next commit`);
  if (rules === null) return null;
  if (ruleFor(rules, signersPath) === null)
    return refused("TRUST_LOCKOUT", `after ${name} no rule of trust.paths would let anybody change ${signersPath}`);
  const short = rules.find((rule) => !isSatisfiable(rule, grounds, atSeconds));
  if (short === undefined) return null;
  const wanted = `one to sign${short.approvals === 0 ? "" : ` and ${short.approvals} more to approve`}`;
  const message = `after ${name} the rule at ${placeOf(short)} needs ${wanted}, of ${whoIs(short.by, grounds.policy)}`;
  return refused("TRUST_LOCKOUT", `${message}: too few of them have a key that could`);
}

/** Could one of its group sign and enough others approve? */
export function isSatisfiable({ by, approvals }: TrustRule, grounds: TrustGrounds, atSeconds: number): boolean {
  const signers = peopleWho(gitNamespace, by, grounds, atSeconds);
  const approvers = peopleWho(approvalNamespace, by, grounds, atSeconds);
  return [...signers].some((signer) => approvers.size - (approvers.has(signer) ? 1 : 0) >= approvals);
}

function peopleWho(
  namespace: string,
  by: string,
  { allowed, people, policy }: TrustGrounds,
  atSeconds: number,
): ReadonlySet<Person> {
  const able = ableOf(namespace, by, { allowed, policy }, atSeconds);
  return new Set(able.flatMap((signer) => people.get(signer) ?? []));
}

/**
 * Lines of the signers file whose key may sign this for that group, then. Of a key's lines only the first that grants it
 * counts, as when a signature is looked up: behind it a name in the group helps nobody.
 */
export function ableOf(
  namespace: string,
  by: string,
  { allowed, policy }: Pick<TrustGrounds, "allowed" | "policy">,
  atSeconds: number,
): readonly AllowedSigner[] {
  const first = new Map<string, AllowedSigner>();
  for (const signer of allowed.signers) {
    const key = hexOf(signer.blob);
    if (!first.has(key) && isVerifiedType(signer.type) && grants(signer, { namespace, atSeconds }))
      first.set(key, signer);
  }
  return [...first.values()].filter((signer) => isOf(by, signer, policy));
}
