import type { Steps } from "../../base/index.ts";
import type { StoredApproval } from "../approval/approval-text.ts";
import type { GroundsReader } from "../authority/trust-grounds.ts";
import type { ContentReader } from "../history/tree-reader.ts";
import type { TrustCommit } from "../history/trust-commit.ts";
import type { TrustCrypto } from "../signature/trust-crypto.ts";

/** What a walk reads of a repository besides commits. */
export interface TreeReader extends GroundsReader, ContentReader {
  /** By ref name, at most `maxApprovals`, pausing: strangers may have made them. Asked only where something has to be approved. */
  approvals(): Steps<readonly StoredApproval[]>;
}

export interface TrustWalkOptions extends TreeReader {
  /** The revision that an earlier walk verified; null on a site's first start. */
  readonly verified: { readonly commit: string } | null;
  readonly head: string;
  readCommit(oid: string): TrustCommit;
  /** Text of the signers file that the operator pinned; counts only while nothing is verified. */
  readonly pinnedSigners: string | null;
  readonly now: Date;
  readonly crypto: TrustCrypto;
}
