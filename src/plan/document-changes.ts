import { canonicalText } from "../base/index.ts";
import type { TenantSnapshot } from "../spec/index.ts";
import type { ObservedTenant } from "./observed/observed.ts";
import type { DocumentChange } from "./plan.ts";

/** What differs between the applied state and the next, besides DAGs. In the order Tenant, Quota, Allowlist, plugins, files, age files. */
export function documentChanges(
  observed: ObservedTenant,
  next: { readonly suspended: boolean; readonly snapshot: TenantSnapshot },
): readonly DocumentChange[] {
  const before = observed.snapshot;
  const { tenant } = observed;
  const suspendText = (suspend: boolean): string => canonicalText({ suspend });
  const pairs: Pair[] = [
    {
      document: "Tenant",
      name: tenant,
      from: before && suspendText(observed.suspended),
      to: suspendText(next.suspended),
    },
    {
      document: "Quota",
      name: tenant,
      from: before && canonicalText(before.quota),
      to: canonicalText(next.snapshot.quota),
    },
    {
      document: "Allowlist",
      name: tenant,
      from: before && canonicalText(before.allowlist),
      to: canonicalText(next.snapshot.allowlist),
    },
    ...pluginPairs(before, next.snapshot),
    {
      document: "Files",
      name: tenant,
      from: filesText(before),
      to: filesText(next.snapshot),
    },
    {
      document: "Secrets",
      name: tenant,
      from: secretsText(before),
      to: secretsText(next.snapshot),
    },
  ];
  return pairs.flatMap((pair) => {
    if (pair.from === pair.to) return [];
    const kind = pair.from === null ? "create" : pair.to === null ? "prune" : "update";
    return [{ kind, ...pair }];
  });
}

type Pair = Omit<DocumentChange, "kind">;

function pluginPairs(before: TenantSnapshot | null, after: TenantSnapshot): readonly Pair[] {
  const refs = new Set([...Object.keys(before?.plugins ?? {}), ...Object.keys(after.plugins)]);
  return [...refs].sort().map((ref) => ({
    document: "Plugin",
    name: ref,
    from: textOrNull(before?.plugins[ref]),
    to: textOrNull(after.plugins[ref]),
  }));
}

// No file pinned = no document.
const filesText = (snapshot: TenantSnapshot | null): string | null =>
  snapshot === null || snapshot.files.length === 0 ? null : canonicalText(snapshot.files);

const secretsText = (snapshot: TenantSnapshot | null): string | null =>
  snapshot === null || snapshot.secrets.length === 0 ? null : canonicalText(snapshot.secrets);

const textOrNull = (value: unknown): string | null => (value === undefined ? null : canonicalText(value));
