import { join } from "node:path";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import { failure } from "./step-error.ts";
import type { StepEnvelope, StepError, StepTask, StepUp, ThreadPlugin } from "./step-message.ts";

export interface StepPool {
  /** Runs one step; resolves with null when the thread itself said how it ended, else with why it was ended. */
  run(task: StepTask, timeoutMs: number, port: MessagePort): Promise<StepError | null>;
}

/** The piscina of a bound host: one thread with the step's exact heap limit. */
export function openStepPool(appDir: string, plugin: ThreadPlugin, heapMb: number): StepPool {
  const pool = new Piscina({
    filename: join(appDir, "step.cjs"),
    // Fewer than max: a queued task never runs after an abort, an exit or an out-of-memory.
    minThreads: 1,
    maxThreads: 1,
    atomics: "disabled",
    env: {},
    trackUnmanagedFds: false,
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    workerData: plugin,
  });
  // Without a listener a thread's late error would end this process.
  pool.on("error", () => undefined);
  return {
    run: async (task, timeoutMs, port) => {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeoutMs);
      try {
        await pool.run({ task, port }, { transferList: [port], signal: abort.signal });
        return null;
      } catch (error) {
        return abort.signal.aborted ? failure("STEP_TIMEOUT", "ran longer than limits.timeout", false) : lossOf(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function lossOf(error: unknown): StepError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message : "";
  if (code === "ERR_WORKER_OUT_OF_MEMORY")
    return failure("STEP_OUT_OF_MEMORY", "the heap is over limits.memory", false);
  if (/exited/i.test(text)) return failure("STEP_EXIT", "the step ended its thread", false);
  return failure("STEP_FAILED", text, false);
}

export function openPorts(onMessage: (envelope: StepEnvelope<StepUp>) => void): {
  ours: MessagePort;
  theirs: MessagePort;
} {
  const { port1, port2 } = new MessageChannel();
  port1.on("message", onMessage);
  return { ours: port1, theirs: port2 };
}
