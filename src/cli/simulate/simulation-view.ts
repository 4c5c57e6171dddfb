import type { SlotFate, TenantForecast } from "../../plan/index.ts";
import { durationText } from "../../spec/index.ts";
import { renderTable } from "../terminal.ts";
import type { DayBudget, Simulation } from "./simulation.ts";

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
    ...refusedLines(simulation),
    ...sourcesText(simulation),
    ...simulation.budgets.flatMap(budgetLines),
    ...(after.held.length === 0 ? [] : [`not played, for it does not decode: ${after.held.join(", ")}`]),
    ...slotLines(simulation),
  ].join("\n");
}

/** Which part of a quota refuses, by the code that a start by hand would get. */
function refusedLines({ before, after }: Simulation): readonly string[] {
  const text = (all: readonly TenantForecast[] | undefined, name: string): string => {
    const counts = Object.entries(all?.find(({ tenant }) => tenant === name)?.refused ?? {});
    return counts.length === 0 ? "0" : counts.map(([code, n]) => `${String(n)} ${code}`).join(" + ");
  };
  const names = [...new Set([...(before?.tenants ?? []), ...after.tenants].map(({ tenant }) => tenant))].sort();
  return names.flatMap((name) => {
    const now = text(after.tenants, name);
    const all = cell(before === null ? now : text(before.tenants, name), now);
    return all === "0" ? [] : [`quota of ${name} refuses: ${all}`];
  });
}

const shownDags = 5;

function budgetLines({ tenant, cpuTime, artifacts }: DayBudget): readonly string[] {
  const line = (field: string, option: string, budget: DayBudget["cpuTime"]): readonly string[] => {
    if (budget === null) return [];
    const { unknown } = budget;
    if (unknown.length === 0) return [`${field} of ${tenant} was played: what a run takes is counted as it ends`];
    const more = unknown.length > shownDags ? ` and ${String(unknown.length - shownDags)} more` : "";
    return [
      `${field} of ${tenant} was NOT played for ${unknown.slice(0, shownDags).join(", ")}${more}: nobody said what a run takes (${option}, --durations)`,
    ];
  };
  return [...line("perDay.cpuTime", "--cpu", cpuTime), ...line("perDay.artifacts", "--artifacts", artifacts)];
}

/** Each slot and what becomes of it, before and after, where they were asked for. */
function slotLines({ before, after }: Simulation): readonly string[] {
  if (after.tenants.every(({ fates }) => fates === null)) return [];
  const [old, now] = [fatesOf(before?.tenants ?? []), fatesOf(after.tenants)];
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  const rows = keys.map((key) => {
    const [utc = "", dag = "", schedule = ""] = key.split(" ");
    const fates = [old.get(key) ?? "-", now.get(key) ?? "-"];
    return [utc.replace(".000Z", "Z"), dag, schedule, ...(before === null ? fates.slice(1) : fates)];
  });
  return ["", renderTable(["slot", "dag", "schedule", ...(before === null ? ["fate"] : ["before", "after"])], rows)];
}

const fatesOf = (tenants: readonly TenantForecast[]): ReadonlyMap<string, string> =>
  new Map(
    tenants.flatMap(({ tenant, fates }) =>
      (fates ?? []).map((fate) => [`${fate.utc} ${tenant}/${fate.dagId} ${fate.schedule}`, fateText(fate)] as const),
    ),
  );

const fateText = ({ fate, waitMs }: SlotFate): string =>
  waitMs === null || waitMs === 0 ? fate : `${fate} after ${durationText(waitMs)}`;

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
