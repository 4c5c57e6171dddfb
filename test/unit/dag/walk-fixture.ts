import { advance, type WalkAnswer, type WalkCommand, type WalkDag, type WalkEvent } from "../../../src/dag/index.ts";
import type { StepSpec } from "../../../src/spec/index.ts";

export function step(stepId: string, fields: Partial<StepSpec> = {}): StepSpec {
  return {
    stepId,
    uses: { name: "core.log", version: "1.0.0" },
    needs: [],
    when: null,
    with: {},
    code: null,
    files: [],
    network: [],
    secrets: {},
    forEach: null,
    retry: { maxAttempts: 1, backoffMs: 1000, factor: 2, maxBackoffMs: 60_000, errors: ["transient", "timeout"] },
    limits: { memoryBytes: 1, cpuTimeMs: 1, scratchBytes: 1, timeoutMs: 1 },
    continueOnError: false,
    isolation: null,
    ...fields,
  };
}

export function dag(steps: readonly StepSpec[], fields: Partial<WalkDag> = {}): WalkDag {
  const effects = Object.fromEntries([...steps, ...(fields.finally ?? [])].map((s) => [s.stepId, "none" as const]));
  return { steps, finally: [], timeoutMs: 3_600_000, effects, statusReads: {}, ...fields };
}

export const list = (maxItems = 1000, maxParallel: number | null = null) => ({
  in: "${{ inputs.list }}",
  as: "item",
  maxItems,
  maxParallel,
});

/** Command as one word, to read whole conversations. */
function word(command: WalkCommand): string {
  switch (command.kind) {
    case "evaluate":
      return `evaluate ${command.stepId}`;
    case "dispatch":
    case "settle_lost":
    case "abort":
      return `${command.kind} ${command.stepId}/${command.index}/${command.attempt}`;
    case "wait":
      return command.timer.kind === "retry"
        ? `wait ${command.timer.stepId}/${command.timer.index}/${command.timer.attempt} ${command.untilMs}`
        : `wait ${command.timer.kind} ${command.untilMs}`;
    case "finish_step":
      return `finish ${command.stepId} ${command.status}${command.reason === null ? "" : ` ${command.reason}`}`;
    case "start_finally":
      return `finally ${command.status}`;
    case "settle_run":
      return `settle ${command.status}${command.code === null ? "" : ` ${command.code}`}`;
  }
}

/** Drives a walk by hand; timers of the run are left out of what it says. */
export function conversation(first: WalkAnswer) {
  let walk = first.walk;
  const words = (commands: readonly WalkCommand[]): string[] =>
    commands.map(word).filter((text) => !/^wait (run|finally)_timeout/.test(text));
  const tell = (event: WalkEvent): string[] => {
    const answer = advance(walk, event);
    walk = answer.walk;
    return words(answer.commands);
  };
  return {
    first: words(first.commands),
    get walk() {
      return walk;
    },
    tell,
    run: (stepId: string, items: number | null = null) =>
      tell({ kind: "evaluated", stepId, answer: { kind: "run", items }, atMs: 10 }),
    skip: (stepId: string) => tell({ kind: "evaluated", stepId, answer: { kind: "skip" }, atMs: 10 }),
    ok: (stepId: string, index = 0, attempt = 1) =>
      tell({
        kind: "attempt_ended",
        stepId,
        index,
        attempt,
        status: "succeeded",
        class: null,
        code: null,
        endedMs: 100,
      }),
    fail: (stepId: string, index = 0, attempt = 1, errorClass: "permanent" | "transient" | "lost" = "permanent") =>
      tell({
        kind: "attempt_ended",
        stepId,
        index,
        attempt,
        status: "failed",
        class: errorClass,
        code: errorClass === "lost" ? "SANDBOX_LOST" : "STEP_FAILED",
        endedMs: 100,
      }),
    aborted: (stepId: string, index = 0, attempt = 1) =>
      tell({
        kind: "attempt_ended",
        stepId,
        index,
        attempt,
        status: "cancelled",
        class: "cancelled",
        code: "RUN_CANCELLED",
        endedMs: 100,
      }),
    due: (stepId: string, attempt: number, index = 0) =>
      tell({ kind: "due", timer: { kind: "retry", stepId, index, attempt }, atMs: 5000 }),
    cancel: () => tell({ kind: "cancel", atMs: 50 }),
    timeOut: () => tell({ kind: "due", timer: { kind: "run_timeout" }, atMs: 3_600_000 }),
  };
}
