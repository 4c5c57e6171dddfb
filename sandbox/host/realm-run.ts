import { type Context, createContext, Script } from "node:vm";
import type { MessagePort } from "node:worker_threads";
import { machineFill, seededFill } from "./chance-stream.ts";
import { compileExpression } from "./compile-code.ts";
import type { FetchPort } from "./fetch-port.ts";
import type { RealmEvent, RealmOptions, RealmSide } from "./realm/boot.ts";
import type { HostCall } from "./realm/host-call.ts";
import { copyInto, isBytes } from "./realm-bytes.ts";
import { realmCalls } from "./realm-calls.ts";
import { describeThrown, failure } from "./step-error.ts";
import type { StepDown, StepEnvelope, StepError, StepTask, StepUp } from "./step-message.ts";

export interface RealmParts {
  readonly facade: Script;
  readonly plugin: Script;
  readonly nondeterministic: boolean;
  readonly network: FetchPort | null;
}

type FromRealm =
  | StepUp
  | { readonly t: "timer"; readonly id: number; readonly ms: number }
  | { readonly t: "fetchAbort"; readonly call: number }
  | ({ readonly t: "fetch" } & Parameters<FetchPort["fetch"]>[0]);

// Evaluating anything drains the context's own microtask queue, and nothing else does: a realm that was left runs no
// more, neither a late throw nor an endless chain of promises.
const drain = new Script("0");

interface FreshRealm {
  readonly context: Context;
  readonly boot: (call: HostCall, options: string) => RealmSide;
}

// A context costs more than a small step: the next one is made while nobody waits. No plugin has been in it.
let spare: FreshRealm | null = null;

function freshRealm(facade: Script): FreshRealm {
  const context = createContext(Object.create(null) as Context, {
    codeGeneration: { strings: false, wasm: false },
    microtaskMode: "afterEvaluate",
  });
  return { context, boot: facade.runInContext(context) as FreshRealm["boot"] };
}

/** One step in a fresh context of this warm thread; resolves when it has ended. */
export async function runInRealm(parts: RealmParts, task: StepTask, port: MessagePort): Promise<void> {
  // Before a realm exists: what this throws is the host's own error and must never be handed into one.
  const code = task.code === null ? null : compileExpression(task.code);
  const run = new RealmRun(parts, task, port);
  try {
    run.begin(task.withText, code);
    await run.ended();
  } finally {
    run.close();
    setImmediate(() => {
      spare ??= freshRealm(parts.facade);
    });
  }
}

class RealmRun {
  readonly #context: Context;
  readonly #side: RealmSide;
  readonly #parts: RealmParts;
  readonly #port: MessagePort;
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #finish: () => void = () => undefined;
  #open = true;
  readonly #onRejection = (reason: unknown): void => this.#fail(reason);
  readonly #onMessage = (envelope: StepEnvelope<StepDown>): void => this.#deliver(envelope.message, envelope.bytes);

  constructor(parts: RealmParts, task: StepTask, port: MessagePort) {
    this.#parts = parts;
    this.#port = port;
    this.#done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const { context, boot } = spare ?? freshRealm(parts.facade);
    spare = null;
    this.#context = context;
    const fill = parts.nondeterministic
      ? machineFill
      : seededFill(task.facts.seed, task.facts.stepId, task.facts.index);
    const calls = realmCalls((text, bytes) => this.#hear(text, bytes), fill);
    const options: RealmOptions = {
      facts: task.facts,
      files: task.files,
      nondeterministic: parts.nondeterministic,
      outputBytes: task.outputBytes,
    };
    this.#side = boot(calls, JSON.stringify(options));
    process.on("unhandledRejection", this.#onRejection);
    port.on("message", this.#onMessage);
  }

  begin(withText: string, code: Script | null): void {
    this.#enter(() => {
      this.#parts.plugin.runInContext(this.#context);
      this.#side.start(withText, code === null ? null : code.runInContext(this.#context));
    });
  }

  ended(): Promise<void> {
    return this.#done;
  }

  close(): void {
    this.#open = false;
    this.#stop.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#port.off("message", this.#onMessage);
    // A tick later: rejections of the last turn are announced after it.
    setImmediate(() => process.off("unhandledRejection", this.#onRejection));
  }

  /** Every way into the realm: what escapes is the plugin's failure, and its promises run before we go on. */
  #enter(call: () => void): void {
    if (!this.#open) return;
    try {
      call();
      drain.runInContext(this.#context);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #deliver(event: RealmEvent, bytes: Uint8Array | null): void {
    this.#enter(() => {
      let inside: Uint8Array | null = null;
      if (bytes !== null) {
        inside = this.#side.alloc(bytes.length);
        if (!isBytes(inside)) throw new TypeError("the realm gave no bytes");
        copyInto(inside, bytes);
      }
      this.#side.deliver(JSON.stringify(event), inside);
    });
  }

  #hear(text: string, bytes: Uint8Array | null): void {
    if (!this.#open) return;
    let message: FromRealm;
    try {
      message = JSON.parse(text) as FromRealm;
    } catch {
      this.#up({ t: "end", text: null, error: failure("STEP_FAILED", "the step spoiled its realm", false) }, null);
      return;
    }
    if (message.t === "timer") this.#arm(message.id, message.ms);
    else if (message.t === "fetch") this.#fetch(message, bytes);
    else if (message.t === "fetchAbort") this.#parts.network?.abort(message.call);
    else this.#up(message, bytes);
  }

  #arm(id: number, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#deliver({ t: "timer", id }, null);
    }, ms);
    this.#timers.set(id, timer);
  }

  #fetch(message: Extract<FromRealm, { t: "fetch" }>, body: Uint8Array | null): void {
    const denied = { code: "EGRESS_DENIED", message: "the step declares no network", transient: false };
    if (this.#parts.network === null) {
      const reply = {
        call: message.call,
        error: denied,
        status: 0,
        statusText: "",
        url: "",
        redirected: false,
        headers: [],
      };
      queueMicrotask(() => this.#deliver({ t: "fetch", ...reply }, null));
      return;
    }
    this.#parts.network
      .fetch(message, body, this.#stop.signal)
      .then(({ reply, bytes }) => this.#deliver({ t: "fetch", ...reply }, bytes))
      .catch((error: unknown) => this.#fail(error));
  }

  #fail(thrown: unknown): void {
    let error: StepError;
    try {
      error = thrown instanceof Error ? describeThrown(thrown) : (JSON.parse(this.#side.describe(thrown)) as StepError);
    } catch {
      error = failure("STEP_FAILED", "the step failed and its error cannot be read", false);
    }
    this.#up({ t: "end", text: null, error }, null);
  }

  #up(message: StepUp, bytes: Uint8Array | null): void {
    if (!this.#open) return;
    this.#port.postMessage({ message, bytes } satisfies StepEnvelope<StepUp>);
    if (message.t !== "end") return;
    this.#open = false;
    this.#finish();
  }
}
