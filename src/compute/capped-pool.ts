import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Piscina } from "piscina";
import { Fault, reasonOf } from "../base/index.ts";
import type { ThreadTask } from "./compute-thread.ts";

/** A task that ran into its cap; its thread is gone, the pool is not. */
export class CapExceeded extends Error {
  readonly cap: "time" | "memory";
  constructor(cap: "time" | "memory") {
    super(`over its ${cap} cap`);
    this.cap = cap;
  }
}

export interface PoolOptions {
  readonly threads: number;
  readonly heapMb: number;
  /** A thread that has not begun its task after so long does not come up. */
  readonly bootMs: number;
}

export interface PoolTask {
  readonly name: "decode" | "evaluate" | "input" | "output" | "warm";
  readonly request: unknown;
  /** Wall time from the moment the thread begins it. */
  readonly wallMs: number;
  /** Bulk work waits while a run waits for an answer. */
  readonly bulk: boolean;
}

interface Waiting {
  readonly bulk: boolean;
  readonly go: (slot: number) => void;
}

/** piscina with a wall and a memory cap for each task. One task a thread, so a task that dies takes no other along. */
export class CappedPool {
  readonly #options: PoolOptions;
  readonly #piscina: Piscina;
  readonly #started: BigInt64Array;
  readonly #freeSlots: number[];
  readonly #waiting: Waiting[] = [];
  readonly #stop = new AbortController();

  constructor(options: PoolOptions) {
    this.#options = options;
    const clock = new SharedArrayBuffer(options.threads * BigInt64Array.BYTES_PER_ELEMENT);
    this.#started = new BigInt64Array(clock);
    this.#freeSlots = Array.from({ length: options.threads }, (_, slot) => slot);
    this.#piscina = new Piscina({
      ...entry(),
      minThreads: options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      // The default parks an idle thread in Atomics.wait.
      atomics: "disabled",
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      workerData: clock,
    });
    // An idle thread that dies is replaced; a busy one rejects its own task.
    this.#piscina.on("error", () => undefined);
  }

  /** Rejects with CapExceeded, the signal's reason, or a Fault. A task that began goes on after its caller left. */
  async run(task: PoolTask, signal: AbortSignal): Promise<unknown> {
    const slot = await this.#takeSlot(task.bulk, AbortSignal.any([signal, this.#stop.signal]));
    const answer = this.#runIn(slot, task).finally(() => this.#giveBack(slot));
    return raced(answer, signal);
  }

  async #runIn(slot: number, task: PoolTask): Promise<unknown> {
    Atomics.store(this.#started, slot, 0n);
    const deadline = this.#deadline(slot, task.wallMs);
    const message: ThreadTask<unknown> = { slot, request: task.request };
    try {
      return await (this.#piscina.run(message, { name: task.name, signal: deadline.signal }) as Promise<unknown>);
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.passed() ? new CapExceeded("time") : notUp(error);
      if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY") throw new CapExceeded("memory");
      throw new Fault("INTERNAL", "a compute thread failed", { cause: error });
    } finally {
      deadline.clear();
    }
  }

  /** Counts from the thread's own start of the task: a thread that still boots is not the task's fault. */
  #deadline(slot: number, wallMs: number): { readonly signal: AbortSignal; passed(): boolean; clear(): void } {
    const abort = new AbortController();
    const askedNs = process.hrtime.bigint();
    let timer = setTimeout(check, wallMs);
    const started = this.#started;
    const { bootMs } = this.#options;
    function check(): void {
      const beganNs = Atomics.load(started, slot);
      const sinceMs = Number(process.hrtime.bigint() - (beganNs === 0n ? askedNs : beganNs)) / 1e6;
      const left = (beganNs === 0n ? bootMs : wallMs) - sinceMs;
      if (left <= 0) abort.abort();
      else timer = setTimeout(check, Math.ceil(Math.min(left, wallMs)));
    }
    return {
      signal: abort.signal,
      passed: () => Atomics.load(started, slot) !== 0n,
      clear: () => clearTimeout(timer),
    };
  }

  async #takeSlot(bulk: boolean, signal: AbortSignal): Promise<number> {
    if (signal.aborted) throw reasonOf(signal);
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    return new Promise<number>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(reasonOf(signal));
      };
      const waiting: Waiting = {
        bulk,
        go: (slot) => {
          signal.removeEventListener("abort", onAbort);
          resolve(slot);
        },
      };
      this.#waiting.push(waiting);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #giveBack(slot: number): void {
    const urgent = this.#waiting.findIndex(({ bulk }) => !bulk);
    const [next] = this.#waiting.splice(Math.max(0, urgent), 1);
    if (next === undefined) this.#freeSlots.push(slot);
    else next.go(slot);
  }

  /** Ends every thread; what still waits or runs rejects. */
  async close(): Promise<void> {
    this.#stop.abort(new Fault("INTERNAL", "compute is stopped"));
    await this.#piscina.destroy();
  }
}

/** Run from source, a thread registers the loader itself: tsx does so in main threads alone. */
function entry(): { readonly filename: string; readonly execArgv?: string[] } {
  if (!import.meta.url.endsWith(".ts")) return { filename: new URL("./compute-thread.js", import.meta.url).href };
  const api = pathToFileURL(createRequire(import.meta.url).resolve("tsx/esm/api")).href.replace(".cjs", ".mjs");
  const preload = `data:text/javascript,import{register}from${JSON.stringify(api)};register();`;
  return { filename: new URL("./compute-thread.ts", import.meta.url).href, execArgv: ["--import", preload] };
}

const notUp = (cause: unknown): Fault => new Fault("INTERNAL", "a compute thread did not come up", { cause });

function raced<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
