import type { PluginManifest } from "./plugin-manifest.ts";
import type { Allowlist, Quota } from "./tenant-spec.ts";

/** A file of tenants/<tenant>/files/ as of one revision; its bytes are a blob under `sha256`. */
export interface PinnedFile {
  /** Relative to tenants/<tenant>/files/. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
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
}
