import type { CodeName } from "../base/index.ts";
import {
  type Allowlist,
  type DagSpec,
  defaults,
  durationText,
  type Finding,
  type Place,
  pointerTo,
  type QuotaLimits,
  type ScheduleSpec,
  type StepSpec,
  sizeText,
} from "../spec/index.ts";
import { endpointGranted, pluginGranted } from "./grants.ts";
import { type SecretKnowledge, secretDenials } from "./secret-denials.ts";

export interface GrantQuestion {
  /** As of the instant that is judged. */
  readonly quota: QuotaLimits;
  readonly allowlist: Allowlist;
  readonly secrets: SecretKnowledge;
  /** Path of the document, for the findings. */
  readonly path: string;
  /** Line and column of a pointer of the document. */
  readonly place: (pointer: string) => Place;
  /** The least distance of two slots in ms (calendar/). */
  readonly shortestIntervalMs: (schedule: ScheduleSpec) => number;
}

/**
 * Everything that a DAG asks for and its tenant is not granted, or that has no value: findings of severity `denied`. A
 * DAG with one is applied but not armed. A secret whose value nobody looked for is a warning.
 */
export function grantFindings(dag: DagSpec, question: GrantQuestion): readonly Finding[] {
  const denials = [
    ...dag.steps.flatMap((step) => stepDenials(step, pointerTo("/spec/steps", step.stepId), question)),
    ...dag.finally.flatMap((step) => stepDenials(step, pointerTo("/spec/finally", step.stepId), question)),
    ...dag.schedules.flatMap((schedule, i) => scheduleDenials(schedule, `/spec/schedules/${i}`, question)),
  ];
  return denials.map((denial) => ({
    severity: "denied",
    path: question.path,
    ...question.place(denial.pointer),
    ...denial,
  }));
}

type Denial = Pick<Finding, "code" | "pointer" | "message" | "fix"> & Partial<Pick<Finding, "severity">>;

function stepDenials(step: StepSpec, at: string, { quota, allowlist, secrets }: GrantQuestion): readonly Denial[] {
  const denials: Denial[] = [];
  const { name, version } = step.uses;
  if (!pluginGranted(allowlist, step.uses)) {
    denials.push({
      code: "PLUGIN_NOT_ALLOWED",
      pointer: `${at}/uses`,
      message: `plugin ${name}@${version} is not granted to this tenant`,
      fix: `Ask for { name: ${name}, versions: ["${version}"] } under plugins in allowlist.yaml.`,
    });
  }
  for (const [i, target] of step.network.entries()) {
    const cut = target.lastIndexOf(":");
    const [host, port] = [target.slice(0, cut), Number(target.slice(cut + 1))];
    if (endpointGranted(allowlist, name, host, port) !== null) continue;
    denials.push({
      code: "ENDPOINT_NOT_ALLOWED",
      pointer: `${at}/network/${i}`,
      message: `endpoint ${target} is not granted for ${name}`,
      fix: `Ask for { host: ${host}, port: ${port}, for: ["${name}"] } under endpoints in allowlist.yaml.`,
    });
  }
  return [...denials, ...secretDenials(step, at, { allowlist, secrets }), ...limitDenials(step, at, quota)];
}

/**
 * Written limits over the tenant's ceilings. One that is not written is the smaller of default and ceiling, so a default
 * is never over: the worker takes the smaller of the two.
 */
function limitDenials({ limits }: StepSpec, at: string, { perStep }: QuotaLimits): readonly Denial[] {
  const usual = defaults.limits;
  const rows = [
    {
      key: "memory",
      asked: limits.memoryBytes,
      usual: usual.memoryBytes,
      ceiling: perStep.memoryBytes,
      text: sizeText,
    },
    { key: "cpuTime", asked: limits.cpuTimeMs, usual: usual.cpuTimeMs, ceiling: perStep.cpuTimeMs, text: durationText },
    {
      key: "scratch",
      asked: limits.scratchBytes,
      usual: usual.scratchBytes,
      ceiling: perStep.scratchBytes,
      text: sizeText,
    },
    { key: "timeout", asked: limits.timeoutMs, usual: usual.timeoutMs, ceiling: perStep.timeoutMs, text: durationText },
  ];
  return rows
    .filter((row) => row.asked > row.ceiling && row.asked !== row.usual)
    .map((row) => ({
      code: "LIMIT_OVER_QUOTA" satisfies CodeName,
      pointer: `${at}/limits/${row.key}`,
      message: `${row.key} ${row.text(row.asked)} is over perStep.${row.key} ${row.text(row.ceiling)} of the quota`,
      fix: `Set limits.${row.key} to ${row.text(row.ceiling)} or less, or ask for a larger quota.`,
    }));
}

function scheduleDenials(
  schedule: ScheduleSpec,
  at: string,
  { quota, shortestIntervalMs }: GrantQuestion,
): readonly Denial[] {
  const shortest = shortestIntervalMs(schedule);
  if (shortest >= quota.minIntervalMs) return [];
  return [
    {
      code: "INTERVAL_BELOW_QUOTA",
      pointer: `${at}/${schedule.timing.kind}`,
      message: `schedule ${schedule.name} fires every ${durationText(shortest)}, below minInterval ${durationText(quota.minIntervalMs)} of the quota`,
      fix: `Use an interval of ${durationText(quota.minIntervalMs)} or more, or ask for a smaller minInterval.`,
    },
  ];
}
