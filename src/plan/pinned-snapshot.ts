import { type PluginManifest, patternMatches, type TenantSnapshot } from "../spec/index.ts";
import type { DesiredTenant, ReadableDag } from "./desired.ts";
import type { ObservedTenant } from "./observed.ts";

export type ReadableTenant = Extract<DesiredTenant, { kind: "readable" }>;

export const refOf = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

/**
 * What the tenant's runs are pinned to once this is applied: the plugins and files that its DAGs name. While a DAG is
 * held at its last good version, nothing here knows what that one names: then every plugin that was pinned stays, with
 * the bytes it had, and every file is pinned.
 */
export function pinnedSnapshot(
  desired: ReadableTenant,
  observed: ObservedTenant,
  {
    revision,
    dags,
    holds,
  }: { readonly revision: string; readonly dags: readonly ReadableDag[]; readonly holds: boolean },
): TenantSnapshot {
  const steps = dags.flatMap(({ spec }) => [...spec.steps, ...spec.finally]);
  const plugins = new Map<string, PluginManifest>();
  for (const step of steps) {
    const manifest = desired.plugins[refOf(step.uses)];
    if (manifest !== undefined) plugins.set(refOf(step.uses), manifest);
  }
  if (holds) for (const [ref, manifest] of Object.entries(observed.snapshot?.plugins ?? {})) plugins.set(ref, manifest);
  const patterns = new Set(steps.flatMap((step) => step.files));
  const isPinned = (path: string): boolean => holds || [...patterns].some((pattern) => patternMatches(pattern, path));
  return {
    revision,
    quota: desired.quota,
    allowlist: desired.allowlist,
    plugins: Object.fromEntries([...plugins].sort(([a], [b]) => (a < b ? -1 : 1))),
    files: desired.files.filter((file) => isPinned(file.path)),
  };
}

/** Content that the store must hold before the plan is applied: plugin.js and files, by SHA-256, each once. */
export const pinnedBlobs = (snapshot: TenantSnapshot): readonly string[] => [
  ...new Set([
    ...Object.values(snapshot.plugins).map((plugin) => plugin.sha256),
    ...snapshot.files.map((file) => file.sha256),
  ]),
];
