import type { ApprovalBook } from "../approval/approval-book.ts";
import type { CountedApproval } from "../approval/approval-count.ts";
import type { ApprovalMatch } from "../approval/approval-match.ts";
import type { TrustGrounds } from "../authority/trust-grounds.ts";
import type { TrustCommit } from "../history/trust-commit.ts";
import type { TrustWalkOptions } from "./trust-options.ts";

/** What one walk keeps while it judges. */
export interface WalkRoom {
  readonly options: TrustWalkOptions;
  readonly book: ApprovalBook;
  readonly match: ApprovalMatch;
  /** Grounds that were judged and are sound at any time. */
  readonly sound: WeakSet<TrustGrounds>;
}

/** One commit to be judged. */
export interface CommitCase {
  readonly commit: TrustCommit;
  /** Null for the first revision. */
  readonly parent: TrustCommit | null;
  /** Of the first parent's tree: whose word counts. */
  readonly against: TrustGrounds;
  /** Of its own tree: whose word would count after it. */
  readonly own: TrustGrounds;
}

export interface Trusted {
  readonly kind: "trusted";
  readonly signer: CommitSigner;
}

/** Principal and fingerprint are null where the policy let an unsigned or unknown commit pass. */
export interface CommitSigner {
  readonly principal: string | null;
  readonly fingerprint: string | null;
  /** What `commits: warn` let pass. */
  readonly warnings: readonly string[];
  /** Those that its rules asked for, by sha256. */
  readonly approvals: readonly CountedApproval[];
}
