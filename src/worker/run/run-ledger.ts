import { Fault, type Json, type JsonObject } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import {
  type AttemptRef,
  createWalk,
  restoreWalk,
  type StepEnd,
  type StepRunStatus,
  type WalkAnswer,
} from "../../dag/index.ts";
import { itemsHashOf } from "../../run/index.ts";
import type { AttemptOutcome, ClaimedRun } from "../../store/index.ts";
import type { PinnedRun, PinnedStep } from "./pinned-run.ts";
import { createRunValues, type RunValues } from "./run-values.ts";

export interface EndedStep extends StepEnd {
  readonly outputsHash: string | null;
}

/** What one run has come to so far: stored outcomes, ended steps, and the values that expressions see. */
export class RunLedger {
  readonly pinned: PinnedRun;
  readonly values: RunValues = createRunValues();
  readonly #outcomes: AttemptOutcome[] = [];
  readonly #ended = new Map<string, EndedStep>();
  readonly #lists = new Map<string, readonly Json[]>();
  #status: StepRunStatus | null = null;
  #recordBytes = 0;

  constructor(pinned: PinnedRun) {
    this.pinned = pinned;
    for (const outcome of pinned.claimed.attempts) {
      if (outcome.outputText !== null) this.values.reserve(outcome.outputText);
      this.add(outcome);
    }
  }

  get run(): ClaimedRun {
    return this.pinned.claimed;
  }

  get outcomes(): readonly AttemptOutcome[] {
    return this.#outcomes;
  }

  ended(stepId: string): EndedStep | null {
    return this.#ended.get(stepId) ?? null;
  }

  step(stepId: string): PinnedStep {
    const step = this.pinned.steps.get(stepId);
    if (step === undefined) throw new Fault("INTERNAL", "the walk names a step that the spec does not have");
    return step;
  }

  startWalk(): WalkAnswer {
    const { attempts, marks, rescues, startedUtc } = this.run;
    const startedMs = Date.parse(startedUtc);
    if (attempts.length === 0 && marks.length === 0 && rescues === 0)
      return createWalk(this.pinned.walkDag, { startedMs });
    return restoreWalk(this.pinned.walkDag, {
      startedMs,
      rescues,
      attempts: attempts.map((attempt) => ({ ...attempt, endedMs: Date.parse(attempt.endedUtc) })),
      marks: marks.map((mark) => ({ ...mark, startedMs: Date.parse(mark.startedUtc) })),
    });
  }

  /** Whether one more attempt could make the record too large to be signed: `finally` has some room of its own. */
  isFull(stepId: string): boolean {
    return this.#recordBytes > (this.step(stepId).isFinal ? maxFinalBytes : maxRecordBytes);
  }

  /** Takes in an outcome that is durable. */
  add(outcome: AttemptOutcome): void {
    this.#outcomes.push(outcome);
    this.#recordBytes += recordSize(outcome);
    this.values.keep(outcome);
  }

  keepList(stepId: string, list: readonly Json[]): void {
    this.#lists.set(stepId, list);
  }

  finishStep(stepId: string, end: StepEnd): void {
    this.#ended.set(stepId, {
      ...end,
      outputsHash: this.values.publish(stepId, end, (hashes) => itemsHashOf(hashes, sha256)),
    });
    this.#lists.delete(stepId);
  }

  startFinally(status: StepRunStatus): void {
    this.#status = status;
  }

  /** The roots of a step's expressions; those of an item add `index` and its variable. */
  scope(stepId: string, item: Pick<AttemptRef, "index"> | null): JsonObject {
    const { spec, sees } = this.step(stepId);
    const { tenant, dagId, runId, runNo, context } = this.run;
    const { slot } = this.pinned;
    const status = this.#status === null ? {} : { status: this.#status };
    const roots = {
      run: { tenant, dagId, runId, runNo, now: context.now, ...status },
      inputs: this.pinned.inputs,
      steps: this.values.scope(sees),
      ...(slot === null ? {} : { slot }),
    };
    if (item === null || spec.forEach === null) return roots;
    return { ...roots, index: item.index, [spec.forEach.as]: this.#lists.get(stepId)?.[item.index] ?? null };
  }
}

/** Half of what the signer takes in one batch; `finally` has a quarter more. */
const maxRecordBytes = 12 * 1024 * 1024;
const maxFinalBytes = 15 * 1024 * 1024;

/** About what an attempt takes in the record: all of it but the output, of which that holds the hash. */
const recordSize = ({ outputText, ...rest }: AttemptOutcome): number => JSON.stringify(rest).length;
