import type { UtcText } from "../base/index.ts";
import type { SkipRange } from "./admission-store.ts";

/** What the recorder reads and writes. A batch is drained, prepared, committed to Git, then sealed. */
export interface AuditOutbox {
  /** Bodies that wait, and the age of the oldest. */
  pending(): Promise<{ readonly count: number; readonly oldestUtc: UtcText | null }>;
  /** The newest batch, done or not; null before the first. */
  lastBatch(): Promise<StoredBatch | null>;
  /**
   * Marks up to `limit` waiting bodies for batch `batch` (bodies that it marked before stay in it) and closes the open
   * skip ranges of the tenants in it and those of an earlier UTC day. One snapshot: horizons are of the same instant.
   * Marks no more once the texts of the marked bodies pass `maxBytes` (a first one always goes in): what the signer takes
   * is bounded. Nothing to mark and no range to close: nothing is written.
   */
  drain(request: {
    readonly batch: number;
    readonly limit: number;
    readonly maxBytes: number;
    readonly now: UtcText;
  }): Promise<DrainedBatch>;
  /** Stores the signed bytes before anything is written to Git. */
  prepare(batch: PreparedBatch): Promise<void>;
  /** Inserts the record rows, empties the outbox of the batch and marks it done, in one transaction. Idempotent. */
  seal(batch: number, records: readonly SealedRecord[]): Promise<void>;
}

export interface DrainedBatch {
  readonly bodies: readonly DrainedBody[];
  readonly skips: readonly DrainedSkip[];
  /** For every tenant in it, `_site` included. */
  readonly chains: readonly TenantChain[];
}

export interface DrainedBody {
  readonly tenant: string;
  readonly recordId: string;
  readonly dagId: string | null;
  readonly runId: string | null;
  readonly bodyText: string;
  /** For the second denial of a minute: the count that replaces `count` of the body. */
  readonly count: number | null;
}

export interface DrainedSkip extends SkipRange {
  readonly tenant: string;
  readonly dagId: string;
  readonly schedule: string;
}

export interface TenantChain {
  readonly tenant: string;
  readonly lastSeq: number;
  /** The last line without LF, null before the first. */
  readonly lastLine: string | null;
  /** The least next slot after a watermark and the least slot of an unfinished run; null = none. */
  readonly horizon: UtcText | null;
}

export interface PreparedBatch {
  readonly batch: number;
  readonly timestamp: UtcText;
  /** Commit id that this batch makes, and its parent. */
  readonly commit: string;
  readonly parent: string | null;
  /** Everything needed to write the objects again byte for byte. */
  readonly objects: readonly { readonly type: "commit" | "tree" | "blob"; readonly body: Uint8Array }[];
  /** Size and root of the checkpoint, for the next batch's start. */
  readonly size: number;
  readonly root: string;
  /** Hex Merkle frontier. */
  readonly frontier: readonly string[];
  readonly records: readonly SealedRecord[];
}

export interface StoredBatch extends PreparedBatch {
  readonly state: "prepared" | "done";
}

export interface SealedRecord {
  readonly tenant: string;
  readonly seq: number;
  readonly recordId: string;
  readonly timestamp: UtcText;
  /** JCS without LF. */
  readonly line: string;
}
