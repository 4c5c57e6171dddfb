import { type CodeName, codes, type ErrorClass, Fault, faultOf } from "../../base/index.ts";
import type { AttemptStatus } from "../../run/index.ts";
import type { StepPorts, StepRequest, StepResult } from "../../sandbox/index.ts";
import type { PinnedStep } from "../run/pinned-run.ts";
import type { RunValues } from "../run/run-values.ts";
import type { WorkerRoom } from "../worker-room.ts";

/** The host enforces the step's timeout; a host that does not answer this long after it is killed by us. */
const overdueMs = 10_000;

/** How an attempt ended, as the worker judges it. `detail` is the host's own text: for the log alone. */
export type AttemptVerdict =
  | { readonly status: "succeeded"; readonly text: string; readonly hash: string; readonly cpuMs?: number }
  | {
      readonly cpuMs?: number;
      readonly status: Exclude<AttemptStatus, "succeeded">;
      readonly class: ErrorClass;
      readonly code: CodeName;
      readonly detail: string | null;
    };

export interface HostSignals {
  /** Ends this attempt; its reason is a Fault RUN_CANCELLED or RUN_TIMEOUT. */
  readonly cut: AbortSignal;
  /** Ends everything of this worker. */
  readonly all: AbortSignal;
}

/** Runs a step in a host; its result or, where the host does not keep its promise, what that means. */
export async function runOnHost(
  room: WorkerRoom,
  request: StepRequest,
  ports: StepPorts,
  { cut, all }: HostSignals,
): Promise<StepResult> {
  const overdue = new AbortController();
  const done = new AbortController();
  const watch = room.deps.clock.sleep(request.limits.timeoutMs + overdueMs, AbortSignal.any([all, done.signal])).then(
    () => overdue.abort(new Fault("STEP_TIMEOUT", "the host did not end the step in time")),
    () => undefined,
  );
  try {
    const result = await room.deps.hosts.run(request, ports, AbortSignal.any([cut, all, overdue.signal]));
    return overdue.signal.aborted && result.kind === "failed" ? failedBy(overdue.signal.reason) : result;
  } catch (error) {
    if (faultOf(error).code === "INTERNAL") throw error;
    return failedBy(error);
  } finally {
    done.abort();
    await watch;
  }
}

/** Holds a host's result to the contract: canonical text, size, schema, AOC (compute/), then the run's total. */
export async function judgeResult(
  room: WorkerRoom,
  { plugin }: PinnedStep,
  { result, values, maxBytes }: { readonly result: StepResult; readonly values: RunValues; readonly maxBytes: number },
  { cut, all }: HostSignals,
): Promise<AttemptVerdict> {
  const verdict = await verdictOf(room, plugin, { result, values, maxBytes }, { cut, all });
  return result.cpuMs === undefined ? verdict : { ...verdict, cpuMs: result.cpuMs };
}

async function verdictOf(
  room: WorkerRoom,
  plugin: PinnedStep["plugin"],
  { result, values, maxBytes }: { readonly result: StepResult; readonly values: RunValues; readonly maxBytes: number },
  { cut, all }: HostSignals,
): Promise<AttemptVerdict> {
  if (result.kind === "failed") return failureVerdict(result, cut);
  const checked = await room.compute.checkOutput(
    { text: result.text, schema: plugin.output, emits: plugin.emits, service: plugin.service, maxBytes },
    all,
  );
  if (!checked.ok) return failure(checked.code, checked.message);
  if (!values.reserve(result.text)) return failure("RUN_VALUES_TOO_LARGE", null);
  return { status: "succeeded", text: result.text, hash: checked.hash };
}

function failureVerdict(result: Extract<StepResult, { kind: "failed" }>, cut: AbortSignal): AttemptVerdict {
  if (result.class !== "cancelled") {
    const status = result.class === "timeout" ? "timed_out" : "failed";
    return { status, class: result.class, code: result.code, detail: result.message };
  }
  // Killed, and not by us: to the run that is a host that died.
  if (!cut.aborted) return failure("SANDBOX_LOST", result.message);
  return { status: "cancelled", class: "cancelled", code: faultOf(cut.reason).code, detail: null };
}

const failure = (code: CodeName, detail: string | null): AttemptVerdict => ({
  status: "failed",
  class: codes[code].class,
  code,
  detail,
});

function failedBy(error: unknown): StepResult {
  const fault = faultOf(error);
  return { kind: "failed", class: fault.row.class, code: fault.code, message: fault.message };
}
