import type { Clock, Gate } from "../base/index.ts";
import type { Compute } from "../compute/index.ts";
import type { GitRepository } from "../git/index.ts";
import type { Plan } from "../plan/index.ts";
import type { RecordRuntime } from "../record/index.ts";
import type { RevisionStore } from "../store/index.ts";
import type { Logger } from "../telemetry/index.ts";
import type { TrustCrypto, VerifiedCommit } from "../trust/index.ts";
import type { SiteSecrets } from "./read/desired-reader.ts";

export interface ReconcilerDeps {
  readonly repository: GitRepository;
  readonly compute: Pick<Compute, "decode">;
  readonly revision: RevisionStore;
  readonly secrets: SiteSecrets;
  readonly crypto: TrustCrypto;
  readonly clock: Clock;
  /** In [0, 1): jitter of retries. */
  readonly random: () => number;
  readonly log: Logger;
  /** Closed while the site may not run (SiteUnknown, RecorderKeyUnknown ...). */
  readonly gate: Gate;
  /** Public key of this site's recorder, wire form. */
  readonly recorderKey: () => Uint8Array;
  /** Told after each pass that wrote something, and after one that found the site stalled for a new reason. */
  readonly onPass: (result: PassResult) => void;
}

export interface ReconcilerOptions {
  readonly site: string;
  readonly specRef: string;
  readonly runtime: RecordRuntime;
  /** Text of the signers file that the operator pinned, or null: first use. */
  readonly pinnedSigners: string | null;
  /** At least so often a pass heals what drifted. */
  readonly intervalMs: number;
}

/** What one pass found and did. */
export interface PassResult {
  /** The revision that is verified now; null before the first. */
  readonly revision: string | null;
  readonly newly: readonly VerifiedCommit[];
  /** Why the branch is not followed further, or null. */
  readonly stalled: { readonly reason: string; readonly message: string } | null;
  /** What was planned for the tenants that were dirty. */
  readonly plan: Plan;
  /** Tenants written. */
  readonly applied: readonly string[];
  readonly tenants: readonly string[];
}
