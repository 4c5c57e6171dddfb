import type { TenantForecast } from "../../plan/index.ts";
import { durationText } from "../../spec/index.ts";
import { renderTable } from "../terminal.ts";
import type { Simulation } from "./simulation.ts";

/** A table with a line per tenant; where two revisions were played, `before -> after` in each cell that moved. */
export function renderSimulation(simulation: Simulation): string {
  const { before, after, from, to, hosts } = simulation;
  const names = [...new Set([...(before?.tenants ?? []), ...after.tenants].map(({ tenant }) => tenant))].sort();
  const find = (all: readonly TenantForecast[] | undefined, name: string): TenantForecast | null =>
    all?.find(({ tenant }) => tenant === name) ?? null;
  const rows = names.map((name) => {
    const [old, now] = [find(before?.tenants, name), find(after.tenants, name)];
    return [name, ...columns.map(({ of }) => cell(before === null ? of(now) : of(old), of(now)))];
  });
  const what =
    before === null ? after.revision.slice(0, 12) : `${before.revision.slice(0, 12)}..${after.revision.slice(0, 12)}`;
  return [
    `${what}, slots in (${from}, ${to}], ${hosts === null ? "only quotas limit" : `${String(hosts)} runs at once on the site`}`,
    renderTable(["tenant", ...columns.map(({ title }) => title)], rows).trimEnd(),
    ...sourcesText(simulation),
    ...(after.held.length === 0 ? [] : [`not played, for it does not decode: ${after.held.join(", ")}`]),
  ].join("\n");
}

interface Column {
  readonly title: string;
  readonly of: (tenant: TenantForecast | null) => string;
}

const columns: readonly Column[] = [
  { title: "slots", of: (tenant) => String(tenant?.slots ?? 0) },
  { title: "start", of: (tenant) => String(tenant?.started ?? 0) },
  { title: "refused", of: (tenant) => skippedText(tenant) },
  { title: "left waiting", of: (tenant) => String(tenant?.waiting ?? 0) },
  { title: "queue max", of: (tenant) => String(tenant?.queue.max ?? 0) },
  { title: "wait p50", of: (tenant) => waitText(tenant, "p50") },
  { title: "wait p95", of: (tenant) => waitText(tenant, "p95") },
];

const cell = (before: string, after: string): string => (before === after ? after : `${before} -> ${after}`);

function skippedText(tenant: TenantForecast | null): string {
  const reasons = Object.entries(tenant?.skipped ?? {}).map(([reason, count]) => `${String(count)} ${reason}`);
  return reasons.length === 0 ? "0" : reasons.join(" + ");
}

function waitText(tenant: TenantForecast | null, rank: "p50" | "p95"): string {
  const ms = tenant?.waitMs?.[rank];
  return ms === undefined ? "-" : ms === 0 ? "0" : durationText(ms);
}

function sourcesText({ durations }: Simulation): readonly string[] {
  const all = Object.values(durations);
  const count = (source: string): number => all.filter((duration) => duration.source === source).length;
  const parts = (["given", "history", "assumed"] as const).flatMap((source) =>
    count(source) === 0 ? [] : [`${String(count(source))} ${source}`],
  );
  return parts.length === 0 ? [] : [`run times of ${String(all.length)} DAGs: ${parts.join(", ")}`];
}
