import { canonicalText, type ErrorClass, type Hex, hexDigestWith, type Sha256, type UtcText } from "../base/index.ts";
import type { Actor, RunContext, RunStatus, Trigger } from "../run/index.ts";
import {
  actorMember,
  compareText,
  orAbsent,
  present,
  type RecordBody,
  rationaleMember,
  recordBody,
  triggerMember,
} from "./canonical-body.ts";
import { type RecordDecision, type RecordRationale, type RecordRuntime, recordSchemaName } from "./record-head.ts";
import type { AttemptRecord, RecordApproval, RunRecord, StepRecord } from "./run-record.ts";

/** What admission fixed about a run; a claimed or queued run of the store fits as it is. */
export interface RunFacts {
  readonly tenant: string;
  readonly runId: string;
  readonly runNo: number;
  readonly dagId: string;
  readonly commit: string;
  readonly specHash: Hex;
  readonly policyRevision: string;
  readonly trigger: Trigger;
  readonly actor: Actor;
  readonly rationale: readonly RecordRationale[];
  readonly traceId: string;
  readonly runToken: Hex;
  readonly inputsHash: Hex;
  readonly context: RunContext;
  readonly queuedUtc: UtcText;
}

export interface RunBodyInput {
  readonly site: string;
  readonly run: RunFacts;
  readonly status: RunStatus;
  readonly class: ErrorClass | null;
  readonly code: string | null;
  /** null where the run never started. */
  readonly startedUtc: UtcText | null;
  readonly endedUtc: UtcText;
  readonly outputsHash: Hex;
  readonly replayToken: string | null;
  readonly runtime: RecordRuntime;
  readonly deterministic: boolean;
  /** All steps of `steps` and `finally`, in any order. */
  readonly steps: readonly StepRecord[];
  readonly rerunOf?: string | null;
  readonly replayOf?: string | null;
  readonly approvals?: readonly RecordApproval[];
  readonly decision?: RecordDecision | null;
}

/**
 * The body of a run's record, final at settle. Steps are sorted by id, attempts by (index, attempt); `stepsHash` =
 * sha256(JCS(steps)). The full list stays in the body: the recorder moves it out where the line would be too long.
 */
export function runBody(input: RunBodyInput, sha256: Sha256): RecordBody<"run"> {
  const { run } = input;
  const steps = sortedSteps(input.steps);
  return recordBody<RunRecord>(
    present({
      recordId: `run/${run.runId}`,
      schema: recordSchemaName,
      site: input.site,
      tenant: run.tenant,
      kind: "run" as const,
      dagId: run.dagId,
      runId: run.runId,
      runNo: run.runNo,
      dagVersion: { commit: run.commit, specHash: run.specHash },
      policyRevision: run.policyRevision,
      actor: actorMember(run.actor),
      trigger: triggerMember(run.trigger),
      rerunOf: input.rerunOf ?? undefined,
      replayOf: input.replayOf ?? undefined,
      rationale: rationaleMember(run.rationale),
      approvals: orAbsent(input.approvals),
      decision: input.decision ?? undefined,
      traceId: run.traceId,
      runToken: run.runToken,
      replayToken: input.replayToken ?? undefined,
      context: { now: run.context.now, seed: run.context.seed },
      inputsHash: run.inputsHash,
      queuedUtc: run.queuedUtc,
      ...outcomeMembers(input),
      runtime: input.runtime,
      deterministic: input.deterministic,
      stepsHash: hexDigestWith(sha256)(canonicalText(steps)),
      steps,
    }),
  );
}

function outcomeMembers(input: RunBodyInput) {
  const { startedUtc, endedUtc } = input;
  return {
    status: input.status,
    errorClass: input.class ?? undefined,
    code: input.code ?? undefined,
    outputsHash: input.outputsHash,
    startedUtc: startedUtc ?? undefined,
    endedUtc,
    durationMs: startedUtc === null ? undefined : Math.max(0, Date.parse(endedUtc) - Date.parse(startedUtc)),
  };
}

function sortedSteps(steps: readonly StepRecord[]): readonly StepRecord[] {
  return steps
    .map((step) => ({ ...step, attempts: step.attempts.toSorted(byExecution) }))
    .sort((a, b) => compareText(a.stepId, b.stepId));
}

function byExecution(a: AttemptRecord, b: AttemptRecord): number {
  return a.index - b.index || a.attempt - b.attempt;
}

export interface StepRecordInput extends Omit<StepRecord, "reason" | "items" | "attempts"> {
  readonly reason: string | null;
  /** null without forEach. */
  readonly items: number | null;
  readonly attempts: readonly AttemptRecordInput[];
}

export interface AttemptRecordInput
  extends Omit<AttemptRecord, "class" | "code" | "egress" | "logsHash" | "artifacts"> {
  readonly class: ErrorClass | null;
  readonly code: string | null;
  readonly egress: NonNullable<AttemptRecord["egress"]>;
  readonly logsHash: Hex | null;
  readonly artifacts: NonNullable<AttemptRecord["artifacts"]>;
}

/** A step's record from facts with nulls: exactly the record's members, absent ones left out. */
export function stepRecord(step: StepRecordInput): StepRecord {
  return present({
    stepId: step.stepId,
    finally: step.finally,
    status: step.status,
    reason: step.reason ?? undefined,
    plugin: step.plugin,
    digest: step.digest,
    items: step.items ?? undefined,
    outputsHash: step.outputsHash,
    attempts: step.attempts.map(attemptRecord),
  });
}

/** A stored attempt outcome fits as it is: members that are not the record's are not taken over. */
export function attemptRecord(attempt: AttemptRecordInput): AttemptRecord {
  return present({
    index: attempt.index,
    attempt: attempt.attempt,
    status: attempt.status,
    class: attempt.class ?? undefined,
    code: attempt.code ?? undefined,
    startedUtc: attempt.startedUtc,
    endedUtc: attempt.endedUtc,
    stepHash: attempt.stepHash,
    stepKey: attempt.stepKey,
    inputsHash: attempt.inputsHash,
    outputsHash: attempt.outputsHash,
    egress: orAbsent(attempt.egress),
    logsHash: attempt.logsHash ?? undefined,
    artifacts: orAbsent(attempt.artifacts),
  });
}
