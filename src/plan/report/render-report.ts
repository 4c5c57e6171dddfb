import type { Json } from "../../base/index.ts";
import { canonicalText } from "../../base/index.ts";
import { printable } from "../finding-text.ts";
import type { FieldChange } from "./field-diff.ts";
import type { Firing } from "./firing-times.ts";
import type { DagReport, PlanReport, TenantReport } from "./plan-report.ts";

const maxValue = 100;

/** What a plan means beyond its changes, as lines for a terminal: fields, slots, quotas, grants and runs under way. */
export function renderReport(report: PlanReport): readonly string[] {
  return [...report.tenants.flatMap(tenantLines), ...capacityLines(report)];
}

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
    ...dag.runs.map((run) => `    run #${String(run.runNo)} is ${run.state}: ${run.effect}`),
  ];
  return lines.length === 0 ? [] : [`  Dag ${dag.dagId}`, ...lines];
}

/** `limits.memory: "64Mi" -> "128Mi"`, `+ steps.b: …`, `- retry: …`, on one line each. */
export function fieldText({ field, before, after }: FieldChange): string {
  const name = printable(field === "" ? "spec" : field);
  if (before === undefined) return `+ ${name}: ${valueText(after)}`;
  if (after === undefined) return `- ${name}: ${valueText(before)}`;
  return `~ ${name}: ${valueText(before)} -> ${valueText(after)}`;
}

function valueText(value: Json | undefined): string {
  const text = value === undefined ? "" : canonicalText(value);
  return printable(text.length > maxValue ? `${text.slice(0, maxValue)}… (${String(text.length)} characters)` : text);
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

function shareLine({ quota }: TenantReport): readonly string[] {
  const { before, after } = quota.share;
  return percent(before) === percent(after) ? [] : [`  share of idle capacity ${percent(before)} -> ${percent(after)}`];
}

const percent = (share: number): string => `${String(Math.round(share * 1000) / 10)}%`;

function capacityLines({ capacity }: PlanReport): readonly string[] {
  const { runs, steps, hosts, overcommit } = capacity;
  if (runs.before === runs.after && steps.before === steps.after) return [];
  const waits =
    overcommit === null || hosts === null
      ? ""
      : `; ${String(hosts)} hosts: ${String(overcommit.after)} of these steps would wait for one (before ${String(overcommit.before)})`;
  return [
    "",
    `site: at most ${String(runs.before)} -> ${String(runs.after)} runs and ${String(steps.before)} -> ${String(steps.after)} steps at once by quota${waits}`,
  ];
}
