import { nodeTrustCrypto } from "../../signer/index.ts";
import { type AllowedSigner, everyone, fingerprintOf, isForge, isOf, type TrustGrounds } from "../../trust/index.ts";
import type { RepositoryTrust } from "./repository-trust.ts";

/** Everything that one tree says of trust, and what became of the commits on top of the first. */
export interface TrustReport {
  readonly at: string;
  readonly commits: string;
  readonly merges: string;
  readonly keys: readonly KeyRow[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** null: everyone may change everything. */
  readonly rules: readonly RuleRow[] | null;
  readonly verified: string | null;
  readonly history: readonly HistoryRow[];
  readonly stalled: RepositoryTrust["walk"]["stalled"];
}

interface KeyRow {
  readonly line: number;
  readonly principal: string;
  readonly type: string;
  readonly key: string;
  readonly namespaces: string | null;
  readonly validAfter: number | null;
  readonly validBefore: number | null;
  readonly forge: boolean;
}

interface RuleRow {
  readonly line: number;
  readonly match: string;
  readonly by: string;
  readonly approvals: number;
  readonly who: readonly string[];
}

interface HistoryRow {
  readonly commit: string;
  readonly signer: string | null;
  readonly key: string | null;
  readonly approvers: readonly string[];
  readonly warnings: readonly string[];
}

/** `last`: how many commits of the history. */
export function trustReport({ at, grounds, walk }: RepositoryTrust, last: number): TrustReport {
  const { policy, rules, allowed } = grounds;
  return {
    at,
    commits: policy.commits,
    merges: policy.merges,
    keys: allowed.signers.map((signer) => keyRow(signer, grounds)),
    groups: policy.groups,
    rules:
      rules?.map(({ line, match, by, approvals }) => ({ line, match, by, approvals, who: whoOf(by, grounds) })) ?? null,
    verified: walk.verified?.oid ?? null,
    history: walk.newly.slice(-last).map(({ oid, principal, fingerprint, approvals, warnings }) => ({
      ...{ commit: oid, signer: principal, key: fingerprint, warnings },
      approvers: approvals.map(({ approver }) => approver),
    })),
    stalled: walk.stalled,
  };
}

const whoOf = (by: string, { allowed, policy }: TrustGrounds): readonly string[] => [
  ...new Set(allowed.signers.filter((signer) => isOf(by, signer, policy)).map(({ principal }) => principal)),
];

function keyRow(signer: AllowedSigner, { policy }: TrustGrounds): KeyRow {
  const { line, principal, type, blob, namespaces, validAfter, validBefore } = signer;
  const key = fingerprintOf(blob, nodeTrustCrypto.sha256);
  return { line, principal, type, key, namespaces, validAfter, validBefore, forge: isForge(signer, policy) };
}

export const ruleSubject = ({ by, who }: RuleRow): string =>
  by === everyone ? "everyone" : `${by}: ${who.length === 0 ? "nobody with a key" : who.join(", ")}`;
