import { type JsonObject, jsonDefect } from "../../base/index.ts";
import type { AttemptMark, AttemptOutcome, RunRef, Settlement } from "../worker-seam.ts";
import { hashInJson, isHash, isInstant, isInt32, isUuid } from "./column-codec.ts";

/** An item as `tick` reads it, without its number; null = unfit, and nothing of it may reach the statement. */
export type ItemRow = JsonObject | null;

const refRow = ({ tenant, runId, fence }: RunRef): JsonObject => ({ tenant, run: runId, fence });

const isFitRef = (ref: RunRef): boolean => isUuid(ref.runId) && isInt32(ref.fence) && jsonDefect(ref.tenant) === null;

export const releaseRow = (ref: RunRef): ItemRow => (isFitRef(ref) ? refRow(ref) : null);

export function markRow(mark: AttemptMark): ItemRow {
  if (!isFitStep(mark) || !isInstant(mark.startedUtc)) return null;
  return { ...refRow(mark), ...stepRow(mark), started: mark.startedUtc };
}

export function outcomeRow(outcome: AttemptOutcome): ItemRow {
  if (!isFitOutcome(outcome)) return null;
  return {
    ...refRow(outcome),
    ...stepRow(outcome),
    status: outcome.status,
    class: outcome.class,
    code: outcome.code,
    message: outcome.message,
    started: outcome.startedUtc,
    ended: outcome.endedUtc,
    step_hash: hashInJson(outcome.stepHash),
    step_key: hashInJson(outcome.stepKey),
    inputs_hash: hashInJson(outcome.inputsHash),
    outputs_hash: hashOrNull(outcome.outputsHash),
    output: outcome.outputText,
    egress: JSON.stringify(outcome.egress),
    logs_hash: hashOrNull(outcome.logsHash),
    artifacts: JSON.stringify(outcome.artifacts),
    cpu_ms: Math.ceil(outcome.cpuMs ?? 0),
    artifact_bytes: outcome.artifacts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

export function settleRow(settlement: Settlement): ItemRow {
  const { recordId, runId, outputsHash, endedUtc } = settlement;
  const fit = isFitRef(settlement) && isHash(outputsHash) && isInstant(endedUtc) && recordId === `run/${runId}`;
  if (!fit || jsonDefect({ ...settlement }) !== null) return null;
  return {
    ...refRow(settlement),
    status: settlement.status,
    class: settlement.class,
    code: settlement.code,
    ended: endedUtc,
    outputs_hash: hashInJson(outputsHash),
    record: recordId,
    body: settlement.bodyText,
  };
}

type StepRef = Pick<AttemptMark, "stepId" | "index" | "attempt">;

const stepRow = ({ stepId, index, attempt }: StepRef): JsonObject => ({ step: stepId, index, attempt });

const isFitStep = (item: RunRef & StepRef): boolean =>
  isFitRef(item) && jsonDefect(item.stepId) === null && isInt32(item.index) && isInt32(item.attempt);

function isFitOutcome(outcome: AttemptOutcome): boolean {
  const { stepHash, stepKey, inputsHash, outputsHash, logsHash } = outcome;
  return (
    isFitStep(outcome) &&
    [stepHash, stepKey, inputsHash, outputsHash, logsHash].every((hash) => hash === null || isHash(hash)) &&
    [outcome.startedUtc, outcome.endedUtc].every(isInstant) &&
    [outcome.cpuMs ?? 0, ...outcome.artifacts.map(({ bytes }) => bytes)].every(isCount) &&
    // Every text of it: U+0000 fails in PostgreSQL, a lone surrogate would be stored as another character.
    jsonDefect({ ...outcome }) === null
  );
}

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0 && value < 2 ** 53;

const hashOrNull = (hash: string | null): string | null => (hash === null ? null : hashInJson(hash));
