import type { Clock } from "../base/index.ts";
import type { GitRepository, GitWriter } from "../git/index.ts";
import type { RecordRuntime } from "../record/index.ts";
import type { SignerClient } from "../signer/index.ts";
import type { AuditOutbox } from "../store/index.ts";
import type { Logger } from "../telemetry/index.ts";

export interface RecorderDeps {
  readonly outbox: AuditOutbox;
  readonly signer: Pick<SignerClient, "sign" | "last" | "publicKey">;
  /** Of audit.repository. */
  readonly repository: Pick<
    GitRepository,
    "readRef" | "readObject" | "readCommit" | "readTree" | "readBlob" | "entryAt" | "hasObject" | "isAncestor"
  >;
  readonly writer: Pick<GitWriter, "putObjects" | "compareAndSwapRef" | "removeStaleLock">;
  readonly clock: Clock;
  /** In [0, 1): jitter of retries. */
  readonly random: () => number;
  /** True: no batch gets a timestamp now (ClockSuspect); what waits goes on waiting. */
  readonly clockIsSuspect: () => boolean;
  readonly log: Logger;
  /** Called when the state changes, and once at the first pass. Must not throw. */
  readonly onState: (state: RecorderState) => void;
}

export interface RecorderOptions {
  readonly site: string;
  /** Of skip records, which are the recorder's own. */
  readonly runtime: RecordRuntime;
  /** A batch is closed at this many records ... */
  readonly maxRecords: number;
  /** ... or so long after its first. */
  readonly maxWaitMs: number;
  /** Commits that may follow at once, and the time that one takes to come back. */
  readonly burst: number;
  readonly refillMs: number;
  /** A record that waits longer closes admission (`audit.maxLag`). */
  readonly maxLagMs: number;
}

/** DESIGN.md section 7: at most 2,060 commits a day, so that no tree grows wide. */
export const recorderDefaults = {
  maxRecords: 1000,
  maxWaitMs: 5000,
  burst: 60,
  refillMs: 43_200,
  maxLagMs: 24 * 3_600_000,
} as const satisfies Omit<RecorderOptions, "site" | "runtime">;

/** What the recorder says of itself: one condition of the site. */
export interface RecorderState {
  readonly ready: boolean;
  /** CamelCase: `Recording`, or the code that stops it (`AuditForked`, `AuditAhead`, `AuditBehind`, `SignerRefused` ...). */
  readonly reason: string;
  readonly message: string;
  /** No run may start: records wait longer than `maxLagMs`, or the database lacks what the branch holds. */
  readonly closesAdmission: boolean;
}

export const auditRef = (site: string): string => `refs/heads/audit/${site}`;
/** Keeps the head from gc where a `push --mirror` or a `fetch --prune` of a user removes the branch. */
export const anchorRef = (site: string): string => `refs/orrery/sites/${site}/audit`;
