import type { UtcText } from "../../base/index.ts";

/** Quota of a tenant with every default filled in (no quota.yaml: the defaults). Ask `effectiveQuotaAt` what holds. */
export interface Quota extends QuotaLimits {
  /** In the order of the file. */
  readonly overrides: readonly QuotaOverride[];
}

/** Other limits until an instant. */
export interface QuotaOverride {
  readonly until: UtcText;
  readonly rationale: string;
  readonly limits: {
    readonly [Field in keyof QuotaLimits]?: QuotaLimits[Field] extends object
      ? Partial<QuotaLimits[Field]>
      : QuotaLimits[Field];
  };
}

/** What a tenant may use at an instant. */
export interface QuotaLimits {
  readonly weight: number;
  readonly runs: {
    readonly maxConcurrent: number;
    readonly maxQueued: number;
    /** Starts in one UTC hour; null = no bound. */
    readonly startsPerHour: number | null;
  };
  readonly steps: { readonly maxConcurrent: number };
  /** Ceilings of one step. */
  readonly perStep: {
    readonly memoryBytes: number;
    readonly cpuTimeMs: number;
    readonly timeoutMs: number;
    readonly scratchBytes: number;
    readonly outputBytes: number;
  };
  /** Of all runs in one UTC day; null = no bound. */
  readonly perDay: { readonly cpuTimeMs: number | null; readonly artifactBytes: number | null };
  readonly minIntervalMs: number;
}

/** Grants of a tenant (no allowlist.yaml: nothing is granted, `core.*` neither). */
export interface Allowlist {
  /** `name` is a glob of one `*` at the end at most; a version is exact, or `1.x`, or `1.2.x`. */
  readonly plugins: readonly { readonly name: string; readonly versions: readonly string[] }[];
  readonly endpoints: readonly EndpointGrant[];
  /** `for`: plugin name globs, as of an endpoint. */
  readonly secrets: readonly { readonly name: string; readonly for: readonly string[] }[];
}

export interface EndpointGrant {
  readonly host: string;
  readonly port: number;
  /** True where the address may be loopback, private or link-local. */
  readonly private: boolean;
  /** Plugin name globs; empty = none. */
  readonly for: readonly string[];
}

/** What a tenant promises of its DAGs; in the order of the file, one each. */
export interface Slo {
  readonly objectives: readonly Objective[];
}

export interface Objective {
  readonly dag: string;
  /** Percent of the runs of a window, in (0, 100]. */
  readonly successPercent: number | null;
  readonly withinMs: number | null;
  readonly freshMs: number | null;
  readonly windowMs: number;
}

export interface TenantSpec {
  readonly owners: readonly string[];
  readonly contact: string | null;
  readonly suspend: boolean;
  /** Windows in which changes wait, in the order of the file. */
  readonly freeze: readonly FreezeWindow[];
}

export interface FreezeWindow {
  readonly from: UtcText;
  /** After `from`; the first instant that is free again. */
  readonly until: UtcText;
  readonly rationale: string;
}

export interface RepositorySpec {
  readonly trust: TrustSpec;
  readonly brakes: { readonly prunePercent: number };
}

export interface TrustSpec {
  readonly commits: "none" | "warn" | "require";
  readonly merges: "firstParent" | "all";
  /** Principals by group. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** The first that matches a path counts, no match is nobody; null = every signer may change everything. */
  readonly paths: readonly PathRule[] | null;
  /** Principals of forges' own keys. */
  readonly forges: readonly string[];
}

export interface PathRule {
  readonly match: string;
  /** A group, or `everyone`. */
  readonly by: string;
  readonly approvals: number;
}

export interface SiteSpec {
  /** Tenant ids or `*`. */
  readonly tenants: readonly string[];
  /** OpenSSH public keys (`ssh-ed25519 AAAA…`); `from` = the first batch that this key signs. */
  readonly audit: { readonly keys: readonly { readonly key: string; readonly from: number }[] };
  /** Ages of the newest verified commit at which the site warns, and starts nothing new; null = never. */
  readonly offline: { readonly warnAfterMs: number | null; readonly stopAfterMs: number | null };
}
