import { type DagSpec, type PluginManifest, patternMatches, type TenantSnapshot } from "../spec/index.ts";
import type { DesiredTenant, ReadableDag } from "./desired/desired.ts";
import type { ObservedTenant } from "./observed/observed.ts";

export type ReadableTenant = Extract<DesiredTenant, { kind: "readable" }>;

export const refOf = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

export interface PinOptions {
  readonly revision: string;
  /** The DAGs that run as the desired state says. */
  readonly dags: readonly ReadableDag[];
  /** Something is held: plugins that were pinned stay, with the bytes they had (a mutated one must not be forgotten). */
  readonly keepsPlugins: boolean;
  /** A DAG is held at its last good version, and nothing here knows which files that one names: all are pinned. */
  readonly pinsAllFiles: boolean;
}

/** What the tenant's runs are pinned to once this is applied: the plugins and files that its DAGs name. */
export function pinnedSnapshot(desired: ReadableTenant, observed: ObservedTenant, options: PinOptions): TenantSnapshot {
  const [refs, patterns, named] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { spec } of options.dags) {
    const needs = needsOf(spec);
    for (const ref of needs.plugins) refs.add(ref);
    for (const pattern of needs.files) patterns.add(pattern);
    for (const secret of needs.secrets) named.add(secret);
  }
  const kept = options.keepsPlugins ? Object.entries(observed.snapshot?.plugins ?? {}) : [];
  const plugins = new Map<string, PluginManifest>();
  for (const ref of refs) {
    const manifest = desired.plugins[ref];
    if (manifest !== undefined) plugins.set(ref, manifest);
  }
  for (const [ref, manifest] of kept) plugins.set(ref, manifest);
  const isPinned = (path: string): boolean =>
    options.pinsAllFiles || [...patterns].some((pattern) => patternMatches(pattern, path));
  return {
    revision: options.revision,
    quota: desired.quota,
    allowlist: desired.allowlist,
    plugins: Object.fromEntries([...plugins].sort(([a], [b]) => (a < b ? -1 : 1))),
    files: desired.files.filter((file) => isPinned(file.path)),
    // A held DAG may name one that no other does, as with files.
    secrets: desired.secrets.filter(({ name }) => options.pinsAllFiles || named.has(name)),
  };
}

/** What a DAG names: plugins as `name@version`, patterns of files, secrets. */
interface DagNeeds {
  readonly plugins: readonly string[];
  readonly files: readonly string[];
  readonly secrets: readonly string[];
}

/** A spec is asked again by every pass, ten thousand of them at once. */
const asked = new WeakMap<DagSpec, DagNeeds>();

function needsOf(spec: DagSpec): DagNeeds {
  const known = asked.get(spec);
  if (known !== undefined) return known;
  const steps = [...spec.steps, ...spec.finally];
  const needs = {
    plugins: [...new Set(steps.map((step) => refOf(step.uses)))],
    files: [...new Set(steps.flatMap((step) => step.files))],
    secrets: [...new Set(steps.flatMap((step) => Object.values(step.secrets)))],
  };
  asked.set(spec, needs);
  return needs;
}

/** Content that the store must hold before the plan is applied: plugin.js, files and age files, by SHA-256, each once. */
export const pinnedBlobs = (snapshot: TenantSnapshot): readonly string[] => [
  ...new Set([
    ...Object.values(snapshot.plugins).map((plugin) => plugin.sha256),
    ...snapshot.files.map((file) => file.sha256),
    ...snapshot.secrets.map((secret) => secret.sha256),
  ]),
];
