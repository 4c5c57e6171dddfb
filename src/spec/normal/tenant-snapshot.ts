import type { PluginManifest } from "./plugin-manifest.ts";
import type { Allowlist, Quota } from "./tenant-spec.ts";

/** A file of tenants/<tenant>/files/ as of one revision; its bytes are a blob under `sha256`. */
export interface PinnedFile {
  /** Relative to tenants/<tenant>/files/. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** An age file tenants/<tenant>/secrets/<name>.age as of one revision: the ciphertext, which the repository shows anyway. */
export interface PinnedSecret {
  readonly name: string;
  readonly sha256: string;
}

/**
 * All of a tenant that a run is pinned to at admission besides its DAG: stored as canonical text in `blob` under its
 * own SHA-256. plugin.js bytes and file contents are blobs of the same tenant.
 */
export interface TenantSnapshot {
  /** The commit (= policyRevision of the runs it admits). */
  readonly revision: string;
  readonly quota: Quota;
  readonly allowlist: Allowlist;
  /** By `name@version`: every plugin that a DAG of the tenant uses. */
  readonly plugins: Readonly<Record<string, PluginManifest>>;
  /** By path in byte order: every file that a `files` pattern of the tenant matches. */
  readonly files: readonly PinnedFile[];
  /** By name in byte order: every age file whose secret a step of the tenant names. */
  readonly secrets: readonly PinnedSecret[];
}

/** A stored snapshot. One that an earlier version stored has no secrets. */
export function decodeSnapshot(text: string): TenantSnapshot {
  const stored = JSON.parse(text) as TenantSnapshot;
  const plugins = Object.entries(stored.plugins).map(([ref, plugin]) => {
    return [ref, { ...plugin, needs: { ...noSecrets, ...plugin.needs } }] as const;
  });
  return {
    ...noSecrets,
    ...stored,
    quota: { ...noBudget, ...stored.quota, runs: { ...noRate, ...stored.quota.runs } },
    allowlist: { ...noSecrets, ...stored.allowlist },
    plugins: Object.fromEntries(plugins),
  };
}

/** A quota of an earlier version. */
const noBudget = { perDay: { cpuTimeMs: null, artifactBytes: null }, overrides: [] } as const;
const noRate = { startsPerHour: null } as const;
const noSecrets = { secrets: [] } as const;
