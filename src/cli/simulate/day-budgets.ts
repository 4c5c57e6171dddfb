import type { DesiredTenant, ForecastWindow } from "../../plan/index.ts";
import { effectiveQuotaAt, type QuotaLimits } from "../../spec/index.ts";
import type { DayBudget, KnownCost } from "./simulation.ts";

type Costs = ReadonlyMap<string, KnownCost>;

/**
 * The tenants that have a budget of a day in this window, before or after, by name: each with the DAGs with schedules
 * whose runs took nothing of it, because nobody said what they take.
 */
export function dayBudgets(
  desired: readonly DesiredTenant[],
  costs: Costs,
  window: ForecastWindow,
): readonly DayBudget[] {
  const names = [...new Set(desired.map(({ tenant }) => tenant))].sort();
  return names.flatMap((tenant) => {
    const own = desired.filter((each) => each.tenant === tenant);
    const limits = own.flatMap((each) => limitsIn(each, window));
    const keys = [...new Set(own.flatMap(scheduledDags))].sort();
    const unknown = (of: (cost: KnownCost) => number | null): readonly string[] =>
      keys.filter((key) => {
        const cost = costs.get(key);
        return cost !== undefined && of(cost) === null;
      });
    const hasCpu = limits.some(({ perDay }) => perDay.cpuTimeMs !== null);
    const hasArtifacts = limits.some(({ perDay }) => perDay.artifactBytes !== null);
    if (!hasCpu && !hasArtifacts) return [];
    return [
      {
        tenant,
        cpuTime: hasCpu ? { unknown: unknown(({ cpuMs }) => cpuMs) } : null,
        artifacts: hasArtifacts ? { unknown: unknown(({ artifactBytes }) => artifactBytes) } : null,
      },
    ];
  });
}

const scheduledDags = (desired: DesiredTenant): readonly string[] =>
  desired.kind === "unreadable"
    ? []
    : desired.dags.flatMap((dag) =>
        dag.kind === "readable" && dag.spec.schedules.length > 0 ? [`${desired.tenant}/${dag.dagId}`] : [],
      );

/** Every set of limits that holds at some time of the window. */
function limitsIn(desired: DesiredTenant, { from, to }: ForecastWindow): readonly QuotaLimits[] {
  if (desired.kind === "unreadable") return [];
  const { quota } = desired;
  const turns = quota.overrides.map(({ until }) => new Date(until)).filter((at) => at > from && at <= to);
  return [from, ...turns].map((at) => effectiveQuotaAt(quota, at));
}
