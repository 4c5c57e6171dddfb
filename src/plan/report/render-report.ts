import { printable } from "../finding-text.ts";
import { authorityLines } from "./authority-lines.ts";
import { fieldText } from "./field-text.ts";
import type { Firing } from "./firing-times.ts";
import type { DagReport, PlanReport, TenantReport } from "./plan-report.ts";
import type { QuotaEffect } from "./quota-effect.ts";

/** What a plan means beyond its changes, for a terminal: fields, slots, quotas, grants, runs under way, whose change it may be. */
export function renderReport(report: PlanReport): readonly string[] {
  return [
    ...report.tenants.flatMap(tenantLines),
    ...capacityLines(report),
    ...authorityLines(report),
    ...(runsAsked(report) ? [] : ["", notAsked]),
  ];
}

/** Silence would read as "no run is touched". */
export const notAsked = "runs under way: not known, no daemon was asked";

/** Whether the runs of what changes are known, or nothing changes that a run could be of. */
export const runsAsked = ({ tenants }: PlanReport): boolean =>
  tenants.every(({ dags }) => dags.every(({ kind, runs }) => runs !== null || kind === "create"));

function tenantLines(tenant: TenantReport): readonly string[] {
  const lines = [
    ...tenant.dags.flatMap(dagLines),
    ...tenant.quota.fields.map((change) => `  quota ${fieldText(change)}`),
    ...shareLine(tenant),
    ...tenant.grants.gained.map((grant) => `  may now: ${printable(grant)}`),
    ...tenant.grants.lost.map((grant) => `  may no longer: ${printable(grant)}`),
  ];
  return lines.length === 0 ? [] : ["", `effect on ${tenant.tenant}`, ...lines];
}

function dagLines(dag: DagReport): readonly string[] {
  const lines = [
    ...dag.fields.map((change) => `    ${fieldText(change)}`),
    ...firingLines(dag),
    ...(dag.runs ?? []).map((run) => `    run #${String(run.runNo)} is ${run.state}: ${run.effect}`),
  ];
  return lines.length === 0 ? [] : [`  Dag ${dag.dagId}`, ...lines];
}

function firingLines({ firing }: DagReport): readonly string[] {
  const [before, after] = [firing.before.map(firingText), firing.after.map(firingText)];
  if (before.join() === after.join()) return [];
  return [
    `    next slots before: ${before.length === 0 ? "none" : before.join(", ")}`,
    `    next slots after:  ${after.length === 0 ? "none" : after.join(", ")}`,
  ];
}

/** The slot in UTC; in the schedule's zone beside it where that is another time. */
export const firingText = ({ utc, local, zone }: Firing): string =>
  zone === "UTC" ? utc.replace(/\.000Z$/, "Z") : `${utc.replace(/\.000Z$/, "Z")} (${local.slice(11, 16)} ${zone})`;

const shareLine = ({ quota }: TenantReport): readonly string[] => {
  const text = shareText(quota);
  return text === null ? [] : [`  ${text}`];
};

/** Null where the share stays as it is. */
export function shareText({ share, guaranteed }: QuotaEffect): string | null {
  const { before, after } = share;
  if (percent(before) === percent(after)) return null;
  const steps =
    guaranteed === null
      ? ""
      : `, which guarantees ${String(guaranteed.before)} -> ${String(guaranteed.after)} steps at once`;
  return `share of idle capacity ${percent(before)} -> ${percent(after)}${steps}`;
}

const percent = (share: number): string => `${String(Math.round(share * 1000) / 10)}%`;

const capacityLines = (report: PlanReport): readonly string[] => {
  const text = capacityText(report);
  return text === null ? [] : ["", text];
};

/** Null where the quotas of all tenants together stay as they are. */
export function capacityText({ capacity }: PlanReport): string | null {
  const { runs, steps, hosts, overcommit } = capacity;
  if (runs.before === runs.after && steps.before === steps.after) return null;
  const waits =
    overcommit === null || hosts === null
      ? "; --hosts N says what of that would wait"
      : `; ${String(hosts)} hosts: ${String(overcommit.after)} of these steps would wait for one (before ${String(overcommit.before)})`;
  return `site: at most ${String(runs.before)} -> ${String(runs.after)} runs and ${String(steps.before)} -> ${String(steps.after)} steps at once by quota${waits}`;
}
