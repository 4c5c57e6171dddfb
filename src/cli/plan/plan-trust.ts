import { readFileSync } from "node:fs";
import { drained, systemClock } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import { type GitRepository, type Oid, toOid } from "../../git/index.ts";
import type { PlanAuthority } from "../../plan/index.ts";
import { trustReader } from "../../reconciler/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import { changeDemands, groundsDiff, readGrounds, type TrustWalk, walkTrust } from "../../trust/index.ts";

/** How far the daemon would follow, and whose change it may be. */
export interface PlanTrust {
  readonly stalled: TrustWalk["stalled"];
  /** null = there is no base whose rules would judge it. */
  readonly authority: PlanAuthority | null;
  /** Approvals are refs of their own, which a plain clone does not bring along. */
  readonly lacksApprovals: boolean;
}

/** The daemon's own walk from `base` to `head`, and the demands of the change as a whole. */
export function readPlanTrust(
  repository: GitRepository,
  {
    base,
    head,
    pinnedSigners,
  }: { readonly base: Oid | null; readonly head: Oid; readonly pinnedSigners: string | null },
): PlanTrust {
  const reader = trustReader(repository);
  const readCommit = (oid: string) => repository.readCommit(toOid(oid));
  const walk = walkTrust({
    ...{ ...reader, readCommit, head, crypto: nodeTrustCrypto, now: systemClock.now() },
    verified: base === null ? null : { commit: base },
    pinnedSigners: pinnedSigners === null ? null : readFileSync(pinnedSigners, "utf8"),
  });
  if (base === null) return { stalled: walk.stalled, authority: null, lacksApprovals: false };
  const demands = changeDemands({ reader, readCommit, crypto: nodeTrustCrypto, base, head, walk });
  const grounds = (oid: Oid) => readGrounds(reader, repository.readCommit(oid).tree);
  const isWaiting = demands.demands.some(({ wanted, isApproved }) => wanted > 0 && !isApproved);
  return {
    stalled: walk.stalled,
    authority: { ...demands, people: groundsDiff(grounds(base), grounds(head), sha256) },
    lacksApprovals: isWaiting && drained(reader.approvals()).length === 0,
  };
}
