import type { Allowlist } from "../../spec/index.ts";

export interface GrantDiff {
  /** A grant in words, in byte order: `plugin core.* 1.x`, `endpoint notify.internal:443 for notify.*`. */
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** What a tenant may do after that it could not before, and the other way round; null = no allowlist: nothing. */
export function grantDiff(before: Allowlist | null, after: Allowlist | null): GrantDiff {
  const [had, has] = [new Set(grantsOf(before)), new Set(grantsOf(after))];
  return {
    gained: [...has].filter((grant) => !had.has(grant)).sort(),
    lost: [...had].filter((grant) => !has.has(grant)).sort(),
  };
}

function grantsOf(allowlist: Allowlist | null): readonly string[] {
  if (allowlist === null) return [];
  const plugins = allowlist.plugins.flatMap(({ name, versions }) =>
    versions.map((version) => `plugin ${name} ${version}`),
  );
  const endpoints = allowlist.endpoints.flatMap((grant) =>
    grant.for.map(
      (glob) => `endpoint ${grant.host}:${String(grant.port)}${grant.private ? " (private)" : ""} for ${glob}`,
    ),
  );
  const secrets = allowlist.secrets.flatMap((grant) => grant.for.map((glob) => `secret ${grant.name} for ${glob}`));
  return [...plugins, ...endpoints, ...secrets];
}
