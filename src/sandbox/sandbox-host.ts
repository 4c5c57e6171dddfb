import { callLater, Fault } from "../base/index.ts";
import type { EgressBroker } from "../egress/index.ts";
import { Attempt, type AttemptEnd, chunkFrames } from "./attempt.ts";
import type { BindFrame, DownFrame, UpFrame } from "./control-frame.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { FrameReader } from "./frame-reader.ts";
import type { HostKind } from "./host-argv.ts";
import type { HostExit, HostProcess } from "./host-process.ts";
import { watchEgress } from "./step-egress.ts";
import { claimedFailure, stepFailure } from "./step-failure.ts";
import type { StepPorts, StepRequest, StepResult } from "./step-request.ts";

export interface SandboxHostParts {
  readonly process: HostProcess;
  readonly kind: HostKind;
  readonly broker: EgressBroker | null;
  /** Frees the slot and its directories; called once, after the process is gone. */
  readonly release: () => Promise<void>;
  /** A fresh 128-bit id, 32 hex digits. */
  readonly newId: () => string;
}

// Beyond the step's own timeout, which the host keeps itself: then nobody asks any more.
const graceMs = 1000;

/**
 * One host process from this side: blank -> bound (once) -> one step at a time -> gone. Every byte that it sends is
 * hostile; what is not expected kills it, and the step that ran gets the blame.
 */
export class SandboxHost {
  readonly kind: HostKind;
  readonly ready: Promise<void>;
  /** Resolves when the process is gone and its slot is free. */
  readonly gone: Promise<void>;
  readonly #parts: SandboxHostParts;
  #node = "";
  #pid = 0;
  #bound: ((result: StepResult | null) => void) | null = null;
  #bindId = "";
  #attempt: Attempt | null = null;
  #verdict: StepResult | null = null;
  #isDead = false;
  #steps = 0;
  #markReady: () => void = () => undefined;

  constructor(parts: SandboxHostParts) {
    this.#parts = parts;
    this.kind = parts.kind;
    const started = new Promise<void>((resolve) => {
      this.#markReady = resolve;
    });
    const exit = parts.process.exited;
    const lost = exit.then((end) => {
      throw new Fault("SANDBOX_UNAVAILABLE", startFailure(end));
    });
    this.ready = Promise.race([started, lost]);
    // Nobody may be waiting for a spare that dies.
    this.ready.catch(() => undefined);
    this.gone = exit.then(async (end) => {
      this.#isDead = true;
      this.#settle(lossOf(end));
      await parts.broker?.close();
      await parts.release();
    });
    this.#listen(parts.process);
  }

  /** The Node version that it says it runs; empty before `ready`. */
  get node(): string {
    return this.#node;
  }
  get isDead(): boolean {
    return this.#isDead;
  }
  /** How many steps it has taken. */
  get steps(): number {
    return this.#steps;
  }
  get pid(): number {
    return this.#pid;
  }

  /** Binds it for good to a plugin; resolves with null, or with why it could not be. */
  async bind(request: StepRequest): Promise<StepResult | null> {
    const { plugin, limits } = request;
    if (this.#bindId !== "" || this.#isDead) return stepFailure("SANDBOX_LOST", "the host is not blank");
    this.#bindId = this.#parts.newId();
    await this.#parts.broker?.listen();
    const { name, version, sha256, isolation, nondeterministic, builtins } = plugin;
    const frame: BindFrame = {
      t: "bind",
      id: this.#bindId,
      heapMb: Math.max(1, Math.floor(limits.memoryBytes / (1024 * 1024))),
      plugin: { name, version, sha256, bytes: plugin.bytes.length, isolation, nondeterministic, builtins },
    };
    const bound = new Promise<StepResult | null>((resolve) => {
      this.#bound = resolve;
    });
    this.#send(frame);
    for (const chunk of chunkFrames(this.#bindId, "plugin", plugin.bytes)) this.#send(chunk);
    return bound;
  }

  /** Runs one attempt to its end. `clean` in the answer: the host lives and may take another of its kind. */
  async run(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<AttemptEnd> {
    if (this.#isDead) return { result: stepFailure("SANDBOX_LOST", "the host is gone"), clean: false };
    const startMs = cpuTimeMs(this.#pid) ?? 0;
    let lastMs = startMs;
    const cpuMs = (): number => {
      lastMs = cpuTimeMs(this.#pid) ?? lastMs;
      return lastMs - startMs;
    };
    const send = (frame: DownFrame): void => this.#send(frame);
    const attempt = new Attempt({ id: this.#parts.newId(), request, ports, send, cpuMs });
    this.#attempt = attempt;
    this.#steps++;
    const egress = watchEgress(request, ports);
    const closeEgress = this.#parts.broker?.admit(egress.grant);
    const stopWatching = this.#watch(request, cpuMs, signal);
    attempt.begin();
    const end = await attempt.ended;
    stopWatching();
    if (!end.clean) this.kill();
    await closeEgress?.();
    await attempt.close();
    this.#attempt = null;
    if (!end.clean) await this.gone;
    return { result: egress.judged(end.result), clean: end.clean };
  }

  /** Ends it now; a running attempt gets `verdict`, else what its exit says. */
  kill(verdict: StepResult | null = null): void {
    if (verdict !== null) {
      this.#verdict ??= verdict;
      this.#settle(verdict);
    }
    this.#parts.process.kill();
  }

  #watch({ limits }: StepRequest, cpuMs: () => number, signal: AbortSignal): () => void {
    const onAbort = (): void => this.kill(stepFailure("RUN_CANCELLED", "cancelled"));
    const endDeadline = callLater(limits.timeoutMs + graceMs, () =>
      this.kill(stepFailure("STEP_TIMEOUT", `ran longer than ${limits.timeoutMs} ms`)),
    );
    const cpu = setInterval(() => {
      if (cpuMs() > limits.cpuTimeMs)
        this.kill(stepFailure("STEP_CPU", `used more than ${limits.cpuTimeMs} ms of CPU time`));
    }, 100);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return () => {
      endDeadline();
      clearInterval(cpu);
      signal.removeEventListener("abort", onAbort);
    };
  }

  #listen(process: HostProcess): void {
    const reader = new FrameReader();
    process.control.on("data", (data: Buffer) => {
      if (this.#isDead || this.#verdict !== null) return;
      try {
        for (const frame of reader.push(data)) this.#take(frame);
      } catch (error) {
        const why = error instanceof Error ? error.message : "unreadable";
        this.kill(stepFailure("SANDBOX_PROTOCOL", `the host broke the protocol: ${why}`));
      }
    });
    for (const stream of process.output) {
      stream.on("data", (data: Buffer) => this.#attempt?.printed(data));
      stream.resume();
    }
    process.nodePid
      .then((pid) => {
        this.#pid = pid;
      })
      .catch(() => undefined);
  }

  #take(frame: UpFrame): void {
    if (frame.t === "ready" && this.#node === "") {
      this.#node = frame.node;
      this.#markReady();
    } else if (frame.t === "bound" && frame.id === this.#bindId && this.#bound !== null) {
      this.#bound(null);
      this.#bound = null;
    } else if (frame.t === "failed" && frame.id === this.#bindId && this.#bound !== null) {
      this.kill(claimedFailure(frame));
    } else if (this.#attempt !== null) this.#attempt.frame(frame);
    else throw new Error(`${frame.t} while no step runs`);
  }

  #settle(result: StepResult): void {
    const verdict = this.#verdict ?? result;
    this.#bound?.(verdict);
    this.#bound = null;
    this.#attempt?.end(verdict, false);
  }

  #send(frame: DownFrame): void {
    if (!this.#isDead) this.#parts.process.control.write(`${JSON.stringify(frame)}\n`);
  }
}

/** What a host's own end says of the step that ran in it. */
function lossOf({ code, signal, stderr }: HostExit): StepResult {
  if (/out of memory|allocation failed|bad_alloc/i.test(stderr))
    return stepFailure("STEP_OUT_OF_MEMORY", "the sandbox host ran out of memory");
  return stepFailure("SANDBOX_LOST", `the sandbox host ended with ${signal ?? `exit code ${code ?? "unknown"}`}`);
}

function startFailure({ code, signal, stderr }: HostExit): string {
  const line = stderr.split("\n").find((text) => text.trim() !== "") ?? "";
  return `a sandbox host did not start: ${line === "" ? (signal ?? `exit code ${code ?? "unknown"}`) : line.slice(0, 300)}`;
}
