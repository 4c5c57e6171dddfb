import type { JsonObject } from "../../base/index.ts";
import { defaults } from "./defaults.ts";
import type { PluginManifest } from "./plugin-manifest.ts";
import type {
  Allowlist,
  FreezeWindow,
  PathRule,
  RepositorySpec,
  SiteSpec,
  Slo,
  TenantSpec,
  TrustSpec,
} from "./tenant-spec.ts";

// Each reads the stored normal form (canonical JSON of {apiVersion, kind, spec}) and fills in every default.
const specOf = (specText: string): unknown => (JSON.parse(specText) as { readonly spec: unknown }).spec;

/** null = the tenant has no allowlist.yaml: nothing is granted. */
export function effectiveAllowlist(specText: string | null): Allowlist {
  if (specText === null) return { plugins: [], endpoints: [], secrets: [] };
  const spec = specOf(specText) as {
    readonly plugins?: Allowlist["plugins"];
    readonly endpoints?: readonly { host: string; port: number; private?: boolean; for: readonly string[] }[];
    readonly secrets?: Allowlist["secrets"];
  };
  return {
    plugins: (spec.plugins ?? []).map(({ name, versions }) => ({ name, versions })),
    endpoints: (spec.endpoints ?? []).map((grant) => ({
      host: grant.host,
      port: grant.port,
      private: grant.private ?? defaults.allowlist.private,
      for: grant.for,
    })),
    secrets: (spec.secrets ?? []).map((grant) => ({ name: grant.name, for: grant.for })),
  };
}

export function effectiveSlo(specText: string): Slo {
  const spec = specOf(specText) as {
    readonly objectives: readonly {
      readonly dag: string;
      readonly success?: number;
      readonly within?: number;
      readonly fresh?: number;
      readonly window?: number;
    }[];
  };
  const objectives = spec.objectives.map(({ dag, success, within, fresh, window }) => ({
    dag,
    successPercent: success ?? null,
    withinMs: within ?? null,
    freshMs: fresh ?? null,
    windowMs: window ?? defaults.slo.windowMs,
  }));
  return { objectives };
}

/** null = the tenant has no tenant.yaml. */
export function effectiveTenant(specText: string | null): TenantSpec {
  const spec =
    specText === null
      ? {}
      : (specOf(specText) as Partial<{ owners: string[]; contact: string; suspend: boolean; freeze: FreezeWindow[] }>);
  return {
    owners: spec.owners ?? [],
    contact: spec.contact ?? null,
    suspend: spec.suspend ?? defaults.tenant.suspend,
    freeze: spec.freeze ?? [],
  };
}

interface NormalRepository {
  readonly trust?: Partial<Omit<TrustSpec, "paths">> & {
    readonly paths?: readonly (Omit<PathRule, "approvals"> & { readonly approvals?: number })[];
  };
  readonly brakes?: { readonly prunePercent?: number };
}

/** null = the repository has no orrery.yaml. */
export function effectiveRepository(specText: string | null): RepositorySpec {
  const { trust = {}, brakes = {} } = specText === null ? {} : (specOf(specText) as NormalRepository);
  const { repository } = defaults;
  return {
    trust: {
      commits: trust.commits ?? repository.commits,
      merges: trust.merges ?? repository.merges,
      groups: trust.groups ?? {},
      paths:
        trust.paths?.map(({ match, by, approvals }) => ({
          match,
          by,
          approvals: approvals ?? repository.approvals,
        })) ?? null,
      forges: trust.forges ?? [],
    },
    brakes: { prunePercent: brakes.prunePercent ?? repository.prunePercent },
  };
}

export function effectiveSite(specText: string): SiteSpec {
  const spec = specOf(specText) as {
    readonly tenants: readonly string[];
    readonly audit: { readonly keys: readonly { readonly key: string; readonly from?: number }[] };
    readonly offline?: { readonly warnAfter?: number; readonly stopAfter?: number };
  };
  const { site } = defaults;
  const keys = spec.audit.keys.map(({ key, from }) => ({ key, from: from ?? site.keyFrom }));
  const { warnAfter, stopAfter } = spec.offline ?? {};
  const offline = { warnAfterMs: warnAfter ?? site.warnAfterMs, stopAfterMs: stopAfter ?? site.stopAfterMs };
  return { tenants: spec.tenants, audit: { keys }, offline };
}

/** Name and version come from the path. */
export function effectivePlugin(
  specText: string,
  ref: { readonly name: string; readonly version: string },
): PluginManifest {
  const spec = specOf(specText) as {
    readonly service: string;
    readonly emits: PluginManifest["emits"];
    readonly sha256: string;
    readonly effects?: PluginManifest["effects"];
    readonly needs?: {
      readonly network?: boolean;
      readonly builtins?: readonly string[];
      readonly secrets?: readonly { readonly name: string; readonly optional?: boolean }[];
    };
    readonly isolation?: PluginManifest["isolation"];
    readonly nondeterministic?: boolean;
    readonly input: JsonObject;
    readonly output: JsonObject;
  };
  const { plugin } = defaults;
  return {
    name: ref.name,
    version: ref.version,
    service: spec.service,
    emits: spec.emits,
    sha256: spec.sha256,
    effects: spec.effects ?? plugin.effects,
    needs: {
      network: spec.needs?.network ?? plugin.needsNetwork,
      builtins: spec.needs?.builtins ?? [],
      secrets: (spec.needs?.secrets ?? []).map(({ name, optional }) => ({
        name,
        optional: optional ?? plugin.secretOptional,
      })),
    },
    isolation: spec.isolation ?? plugin.isolation,
    nondeterministic: spec.nondeterministic ?? plugin.nondeterministic,
    input: spec.input,
    output: spec.output,
  };
}
