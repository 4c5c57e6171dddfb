import type {
  Allowlist,
  DagSpec,
  Finding,
  FreezeWindow,
  PinnedFile,
  PinnedSecret,
  PluginManifest,
  Quota,
} from "../../spec/index.ts";

/** All that a verified revision wants of this site. */
export interface DesiredSite {
  readonly revision: string;
  /** brakes.prunePercent of orrery.yaml. */
  readonly prunePercent: number;
  /** Those that the site's file names or that were applied before; any order. */
  readonly tenants: readonly DesiredTenant[];
  /** Of orrery.yaml, keys/ and the site's file. */
  readonly findings: readonly Finding[];
}

export type DesiredTenant =
  | {
      readonly kind: "readable";
      readonly tenant: string;
      /** Of the trees that it was computed from. */
      readonly fingerprint: string;
      readonly suspended: boolean;
      /** Windows of tenant.yaml in which changes wait. */
      readonly freeze: readonly FreezeWindow[];
      readonly quota: Quota;
      readonly allowlist: Allowlist;
      /** By dagId in byte order. */
      readonly dags: readonly DesiredDag[];
      /** By `name@version`: every readable plugin that the tenant sees. */
      readonly plugins: Readonly<Record<string, PluginManifest>>;
      /** SHA-256 of each of `plugins`, as canonical text. */
      readonly pluginHashes: Readonly<Record<string, string>>;
      /** All of tenants/<tenant>/files/, by path in byte order. */
      readonly files: readonly PinnedFile[];
      /** Every age file of the tenant, by name in byte order. */
      readonly secrets: readonly PinnedSecret[];
      /** Of tenant.yaml, quota.yaml, allowlist.yaml and of the plugins: warnings and plugin errors. */
      readonly findings: readonly Finding[];
    }
  /** tenant.yaml, quota.yaml or allowlist.yaml does not decode: nothing of the tenant moves. */
  | {
      readonly kind: "unreadable";
      readonly tenant: string;
      readonly fingerprint: string;
      readonly findings: readonly Finding[];
    };

export type DesiredDag = ReadableDag | UnreadableDag;

export interface ReadableDag {
  readonly kind: "readable";
  readonly dagId: string;
  readonly path: string;
  /** The name that it had; its schedules go on from there. */
  readonly renamedFrom: string | null;
  readonly specHash: string;
  /** Canonical JSON of the normal form. */
  readonly specText: string;
  readonly spec: DagSpec;
  /** False where a `denied` finding stands. */
  readonly armed: boolean;
  readonly suspended: boolean;
  /** Who suspended it past Git, in words; absent where tenant.yaml does. */
  readonly suspendedBy?: string;
  /** `denied` and warnings. */
  readonly findings: readonly Finding[];
}

export interface UnreadableDag {
  readonly kind: "unreadable";
  readonly dagId: string;
  readonly path: string;
  /** At least one `error`. */
  readonly findings: readonly Finding[];
}
