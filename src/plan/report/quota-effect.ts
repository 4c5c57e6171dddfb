import { canonicalText, type Json, type JsonObject } from "../../base/index.ts";
import type { Quota } from "../../spec/index.ts";
import { type FieldChange, fieldDiff } from "./field-diff.ts";

/** One tenant's part of the site, before and after. */
export interface QuotaEffect {
  readonly fields: readonly FieldChange[];
  /** Share of idle capacity: its weight among those of all tenants, 0 to 1. */
  readonly share: { readonly before: number; readonly after: number };
  /** Steps at once that the share of the site's hosts guarantees, to one decimal; null where nobody said how many. */
  readonly guaranteed: { readonly before: number; readonly after: number } | null;
}

/** What all tenants together may use at once, and what there is. */
export interface SiteCapacity {
  readonly runs: { readonly before: number; readonly after: number };
  readonly steps: { readonly before: number; readonly after: number };
  /** Steps that the site's hosts run at once; null where nobody said. */
  readonly hosts: number | null;
  /** Steps that may be granted beyond the hosts: they wait for one. Null where `hosts` is. */
  readonly overcommit: { readonly before: number; readonly after: number } | null;
}

export interface TenantQuotas {
  readonly tenant: string;
  /** null = not on the site. */
  readonly before: Quota | null;
  readonly after: Quota | null;
}

type Side = "before" | "after";

/** `hosts`: steps that the site runs at once. */
export function quotaEffect(own: TenantQuotas, all: readonly TenantQuotas[], hosts: number | null): QuotaEffect {
  const share = (side: Side): number => {
    const total = sumOf(all, side, ({ weight }) => weight);
    return total === 0 ? 0 : (own[side]?.weight ?? 0) / total;
  };
  const guaranteed = (side: Side): number => {
    const wanted = own[side]?.steps.maxConcurrent ?? 0;
    return Math.round(Math.min(wanted, share(side) * (hosts ?? 0)) * 10) / 10;
  };
  return {
    fields: own.before === null || own.after === null ? [] : fieldDiff(asWritten(own.before), asWritten(own.after)),
    share: { before: share("before"), after: share("after") },
    guaranteed: hosts === null ? null : { before: guaranteed("before"), after: guaranteed("after") },
  };
}

/** With the names that quota.yaml has: `perStep.cpuTime`, not `cpuTimeMs`. */
function asWritten(quota: Quota): Json {
  const rename = (value: Json): Json => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(rename);
    const entries = Object.entries(value as JsonObject).filter(([name]) => name !== "limits");
    const limits = (value as JsonObject)["limits"];
    const inner = limits === undefined ? [] : Object.entries(limits as JsonObject);
    return Object.fromEntries(
      [...entries, ...inner].map(([name, each]) => [name.replace(/(Ms|Bytes)$/, ""), rename(each)]),
    );
  };
  return rename(JSON.parse(canonicalText(quota)) as Json);
}

export function siteCapacity(all: readonly TenantQuotas[], hosts: number | null): SiteCapacity {
  const both = (of: (quota: Quota) => number) => ({ before: sumOf(all, "before", of), after: sumOf(all, "after", of) });
  const steps = both((quota) => quota.steps.maxConcurrent);
  return {
    runs: both((quota) => quota.runs.maxConcurrent),
    steps,
    hosts,
    overcommit:
      hosts === null ? null : { before: Math.max(0, steps.before - hosts), after: Math.max(0, steps.after - hosts) },
  };
}

function sumOf(all: readonly TenantQuotas[], side: Side, of: (quota: Quota) => number): number {
  return all.reduce((total, tenant) => {
    const quota = tenant[side];
    return total + (quota === null ? 0 : of(quota));
  }, 0);
}
