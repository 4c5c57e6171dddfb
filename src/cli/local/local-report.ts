import type { Json } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import type { AttemptRecord, RunRecord, StepRecord } from "../../record/index.ts";
import type { SandboxLevel } from "../../sandbox/index.ts";
import type { AttemptOutcome } from "../../store/index.ts";
import { renderTable } from "../terminal.ts";
import { durationText, short } from "./local-lines.ts";
import type { LocalOutcome } from "./run-locally.ts";

/** A step of a local run: as its record would say, with what no record holds. */
export interface StepReport extends Omit<StepRecord, "attempts"> {
  /** Of forEach a list, null where an item has none; absent where the step published none. */
  readonly outputs?: Json;
  readonly attempts: readonly (AttemptRecord & { readonly message: string | null })[];
}

export interface LocalReport {
  readonly tenant: string;
  readonly dagId: string;
  readonly level: SandboxLevel;
  readonly status: RunRecord["status"];
  readonly class: string | null;
  readonly code: string | null;
  readonly specHash: string;
  readonly inputsHash: string;
  readonly outputsHash: string;
  readonly context: RunRecord["context"];
  readonly deterministic: boolean;
  readonly durationMs: number;
  readonly steps: readonly StepReport[];
}

export function reportLocally({ record, attempts }: LocalOutcome, level: SandboxLevel): LocalReport {
  const { tenant, dagId, status, dagVersion, inputsHash, outputsHash, context, deterministic } = record;
  return {
    ...{ tenant, dagId, level, status, specHash: dagVersion.specHash, inputsHash, outputsHash, context, deterministic },
    class: record.errorClass ?? null,
    code: record.code ?? null,
    durationMs: record.durationMs ?? 0,
    steps: (record.steps ?? []).map((step) => stepReport(step, attempts)),
  };
}

function stepReport(step: StepRecord, all: readonly AttemptOutcome[]): StepReport {
  const own = all.filter(({ stepId }) => stepId === step.stepId);
  const outputs = step.outputsHash === null ? undefined : outputsOf(step, own);
  return {
    ...step,
    attempts: step.attempts.map((attempt) => ({ ...attempt, message: messageOf(attempt, own) })),
    ...(outputs === undefined ? {} : { outputs }),
  };
}

function messageOf({ index, attempt }: AttemptRecord, own: readonly AttemptOutcome[]): string | null {
  return own.find((outcome) => outcome.index === index && outcome.attempt === attempt)?.message ?? null;
}

function outputsOf({ items }: StepRecord, own: readonly AttemptOutcome[]): Json {
  const byIndex = new Map(own.flatMap(({ index, outputText }) => (outputText === null ? [] : [[index, outputText]])));
  const at = (index: number): Json => JSON.parse(byIndex.get(index) ?? "null") as Json;
  return items === undefined ? at(0) : Array.from({ length: items }, (_, index) => at(index));
}

const maxOutputChars = 2000;

/** What a person looks at: how it ended, each step with its output, and the hashes. */
export function renderReport(report: LocalReport): string {
  const { tenant, dagId, status, code, level, durationMs } = report;
  const rows = report.steps.map((step) => [
    step.stepId,
    step.status,
    step.reason ?? failureOf(step),
    timeOf(step),
    [...new Set(step.attempts.map(({ stepHash }) => short(stepHash)))].slice(0, 3).join(" "),
    step.outputsHash === null ? "-" : short(step.outputsHash),
  ]);
  return [
    `${tenant}/${dagId}  ${status}${code === null ? "" : `  ${code}`}  ${durationText(durationMs)}  level ${level}, nothing recorded`,
    "",
    renderTable(["step", "status", "why", "time", "stepHash", "outputsHash"], rows),
    "",
    ...report.steps.flatMap(outputLines),
    `specHash     ${report.specHash}`,
    `inputsHash   ${report.inputsHash}`,
    `outputsHash  ${report.outputsHash}`,
  ].join("\n");
}

const failureOf = ({ attempts }: StepReport): string => attempts.at(-1)?.code ?? "";

function timeOf({ attempts }: StepReport): string {
  if (attempts.length === 0) return "-";
  const starts = attempts.map(({ startedUtc }) => Date.parse(startedUtc));
  const ends = attempts.map(({ endedUtc }) => Date.parse(endedUtc));
  return durationText(Math.max(...ends) - Math.min(...starts));
}

function outputLines({ stepId, outputs }: StepReport): readonly string[] {
  if (outputs === undefined) return [];
  const text = JSON.stringify(outputs, null, 2);
  const cut = text.length <= maxOutputChars ? text : `${text.slice(0, maxOutputChars)}\n… (-o json shows all of it)`;
  return [`${stepId}:`, ...cut.split("\n").map((line) => `  ${printable(line)}`), ""];
}
