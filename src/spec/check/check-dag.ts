import { closest } from "../decode/closest.ts";
import type { Finding } from "../decode/finding.ts";
import { positionOf, textPlaceOf } from "../decode/positions.ts";
import { sortFindings } from "../decode/schema-findings.ts";
import { templateTexts } from "../expression/expression-template.ts";
import type { DagSpec, ScheduleSpec } from "../normal/dag-spec.ts";
import { patternMatches } from "../value/file-pattern.ts";
import { resolveInputs } from "../value/resolve-inputs.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkGraph } from "./check-graph.ts";
import { checkSecrets } from "./check-secrets.ts";
import { checkStepPlugin } from "./check-step-plugin.ts";
import { cronDefect } from "./cron-defect.ts";
import { type DagContext, type DagDefect, type PlacedStep, placedSteps } from "./dag-defect.ts";
import { foreignTemplates } from "./foreign-templates.ts";

/**
 * What is wrong with a DAG beyond its schema: graph, expressions, plugins, files, schedules. Findings by place; empty =
 * it can run. Expressions are checked for form, reference, type and cost, never evaluated.
 */
export function checkDag(dag: DagSpec, context: DagContext): readonly Finding[] {
  const steps = placedSteps(dag);
  const defects = [
    ...checkNames(steps),
    ...checkGraph(steps),
    ...steps.flatMap((placed) => checkStepPlugin(placed, context)),
    ...steps.flatMap((placed) => checkFiles(placed, context.files)),
    ...checkExpressions(dag, steps, context),
    ...steps.flatMap(foreignTemplates),
    ...checkSchedules(dag, context),
    ...checkSecrets(dag, steps),
  ];
  return sortFindings(defects.map((defect) => placed(defect, context)));
}

function placed({ what = "value", severity = "error", offset, ...defect }: DagDefect, context: DagContext): Finding {
  const { positions, path } = context;
  const { pointer } = defect;
  const place = offset === undefined ? positionOf(positions, pointer, what) : textPlaceOf(positions, pointer, offset);
  return { severity, path, ...place, ...defect };
}

const reservedWords = ["true", "false", "null", "in"];

function checkNames(steps: readonly PlacedStep[]): readonly DagDefect[] {
  const seen = new Set<string>();
  return steps.flatMap(({ step, pointer }): readonly DagDefect[] => {
    const twice = seen.has(step.stepId);
    seen.add(step.stepId);
    if (twice) {
      const message = `\`${step.stepId}\` is a step and a finally step`;
      return [{ code: "DAG_DUPLICATE_NAME", pointer, what: "key", message, fix: "Rename one of them." }];
    }
    if (!reservedWords.includes(step.stepId)) return [];
    const message = `\`${step.stepId}\` is a word of the expression language`;
    return [{ code: "SPEC_TYPE", pointer, what: "key", message, fix: "Rename the step." }];
  });
}

function checkFiles({ step, pointer }: PlacedStep, files: readonly string[]): readonly DagDefect[] {
  return step.files.flatMap((pattern, index): readonly DagDefect[] => {
    if (files.some((path) => patternMatches(pattern, path))) return [];
    const message = `no file under files/ matches ${pattern}`;
    const fix =
      files.length === 0 ? "Commit the files under tenants/<tenant>/files/." : "Correct the pattern or add the file.";
    return [{ code: "FILES_EMPTY", pointer: `${pointer}/files/${String(index)}`, message, fix }];
  });
}

function checkSchedules(dag: DagSpec, context: DagContext): readonly DagDefect[] {
  const seen = new Set<string>();
  return dag.schedules.flatMap((schedule, index): readonly DagDefect[] => {
    const pointer = `/spec/schedules/${String(index)}`;
    const found: DagDefect[] = [];
    if (seen.has(schedule.name)) {
      const message = `two schedules are called \`${schedule.name}\``;
      found.push({ code: "DAG_DUPLICATE_NAME", pointer: `${pointer}/name`, message, fix: "Give each its own `name`." });
    }
    seen.add(schedule.name);
    found.push(...timingDefects(schedule, pointer, context));
    return [...found, ...checkScheduleInputs(dag, schedule, `${pointer}/inputs`)];
  });
}

function timingDefects(schedule: ScheduleSpec, pointer: string, { checkSchedule }: DagContext): readonly DagDefect[] {
  const { timing } = schedule;
  const at = `${pointer}/${timing.kind}`;
  const cron = timing.kind === "cron" ? cronDefect(timing.cron) : null;
  if (cron !== null) return [{ code: "SCHEDULE_INVALID", pointer: at, ...cron }];
  const invalid = checkSchedule(schedule);
  if (invalid === null) return [];
  const { message, field } = invalid;
  const fix = field === undefined ? "Correct the schedule." : zoneFix(schedule.timezone);
  return [{ code: "SCHEDULE_INVALID", pointer: field === undefined ? at : `${pointer}/${field}`, message, fix }];
}

/** A zone of that city, or one that is spelt nearly so. */
function zoneFix(zone: string): string {
  const known = Intl.supportedValuesOf("timeZone");
  const cityOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const near = known.find((name) => cityOf(name) === cityOf(zone)) ?? closest(zone, known);
  return near === null ? "Write a zone as Europe/Vienna or UTC." : `Did you mean ${near}?`;
}

/** Constants and presence; what an expression gives is known only at its slot. */
function checkScheduleInputs(dag: DagSpec, schedule: ScheduleSpec, pointer: string): readonly DagDefect[] {
  const resolved = resolveInputs(dag, schedule.inputs);
  if (resolved.ok) return [];
  const evaluated = new Set(templateTexts(schedule.inputs).map((text) => text.pointer));
  return resolved.findings
    .filter(
      (finding) =>
        ![...evaluated].some(
          (at) => finding.pointer === at || (at.startsWith(`${finding.pointer}/`) && finding.pointer !== ""),
        ),
    )
    .map(({ pointer: at, message }) => ({
      code: "SCHEDULE_INVALID" as const,
      pointer: pointer + at,
      message: `inputs of schedule \`${schedule.name}\`: ${message}`,
      fix: "Give every input without a default.",
    }));
}
