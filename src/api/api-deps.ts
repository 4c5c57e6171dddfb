import type { Clock } from "../base/index.ts";
import type { TokenVerifier } from "../identity/index.ts";
import type { BreakGlass, HistoryAcceptance } from "../reconciler/index.ts";
import type { RunStarter } from "../scheduler/index.ts";
import type { LedgerStore } from "../store/index.ts";
import type { Logger, Metrics, Redact } from "../telemetry/index.ts";

export interface ApiDeps {
  readonly ledger: LedgerStore;
  readonly runs: RunStarter;
  readonly breakGlass: BreakGlass;
  readonly history: HistoryAcceptance;
  /** Log lines of one attempt as stored (NDJSON), null where the hash is not the tenant's. */
  readonly readLog: (tenant: string, sha256: string) => Promise<string | null>;
  readonly site: () => SiteStatus;
  readonly tenants: () => readonly string[];
  readonly verifier: TokenVerifier;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** For the words of problem documents: they repeat what somebody sent. */
  readonly redact: Redact;
}

/** What health and `orrery doctor` show of the site. */
export interface SiteStatus {
  readonly site: string;
  readonly version: string;
  readonly appliedRevision: string | null;
  readonly sandbox: {
    readonly level: string;
    readonly reason: string | null;
    /** Steps that run at once. */
    readonly hosts: number;
  };
  readonly ready: boolean;
  /** Why newer commits wait; null = the spec ref is followed to its end. */
  readonly stalled: { readonly reason: string; readonly message: string } | null;
  /** Why not ready, or why nothing starts; empty when all is well. */
  readonly reasons: readonly { readonly reason: string; readonly message: string }[];
}
