import { type CodeName, canonicalText, codes, type Json, type JsonObject } from "../../src/base/index.ts";
import type { SandboxHosts, StepPorts, StepRequest, StepResult } from "../../src/sandbox/index.ts";

/** What a plugin does in a test: its output, or a result of any kind. */
export type FakePlugin = (
  input: JsonObject,
  step: { readonly request: StepRequest; readonly ports: StepPorts; readonly signal: AbortSignal },
) => Promise<Json | FakeResult> | Json | FakeResult;

/** Told apart from an output by its class. */
export class FakeResult {
  readonly result: StepResult;
  constructor(result: StepResult) {
    this.result = result;
  }
}

export const failing = (code: CodeName, message = "secret words of the plugin"): FakeResult =>
  new FakeResult({ kind: "failed", class: codes[code].class, code, message });

/** A step that ends only when it is killed. */
export const hanging: FakePlugin = (_input, { signal }) =>
  new Promise((resolve) => {
    const end = (): void => resolve(failing("RUN_CANCELLED"));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });

/** Sandbox hosts in memory: each plugin is a function, `killAll` and the signal end a step as the real ones do. */
export class FakeHosts implements Pick<SandboxHosts, "run" | "killAll" | "capacity"> {
  capacity = 4;
  readonly requests: StepRequest[] = [];
  readonly plugins = new Map<string, FakePlugin>();
  running = 0;
  mostRunning = 0;
  killedAll = 0;
  readonly #kill = new Set<() => void>();
  /** A crashed machine: nothing that runs on it answers any more. */
  silent = false;

  async run(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<StepResult> {
    this.requests.push(request);
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const killed = new Promise<StepResult>((resolve) => {
      this.#kill.add(() => resolve(failing("SANDBOX_LOST").result));
      const cut = (): void => resolve(failing("RUN_CANCELLED").result);
      if (signal.aborted) cut();
      else signal.addEventListener("abort", cut, { once: true });
    });
    try {
      const result = await Promise.race([this.#execute(request, ports, signal), killed]);
      if (this.silent) return await new Promise(() => undefined);
      return result;
    } finally {
      this.running--;
    }
  }

  killAll(): void {
    this.killedAll++;
    for (const kill of this.#kill) kill();
    this.#kill.clear();
  }

  async #execute(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<StepResult> {
    const plugin = this.plugins.get(request.plugin.name) ?? ((input: JsonObject) => ({ echo: input }));
    await Promise.resolve();
    const answer = await plugin(JSON.parse(request.withText) as JsonObject, { request, ports, signal });
    return answer instanceof FakeResult ? answer.result : { kind: "output", text: canonicalText(answer), cpuMs: 1 };
  }
}
