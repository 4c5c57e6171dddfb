import { type Clock, Fault } from "../base/index.ts";
import type { HostKind } from "./host-argv.ts";
import type { HostFactory } from "./host-factory.ts";
import { bindingKey, hostKindOf, isSameKind } from "./host-kind.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { stepFailure } from "./step-failure.ts";
import type { StepPorts, StepRequest, StepResult } from "./step-request.ts";

export interface HostPoolOptions {
  /** Blanks kept ready of each of `warmKinds`. */
  readonly warm: number;
  readonly warmKinds: readonly HostKind[];
  /** Bound hosts kept for their next step. */
  readonly maxIdle: number;
  readonly idleMs: number;
  readonly maxSteps: number;
  readonly startTimeoutMs: number;
}

const refillDelayMs = 250;

interface IdleHost {
  readonly key: string;
  readonly host: SandboxHost;
  readonly sinceMs: number;
}

/**
 * Every live host: blanks, running ones, and bound ones that wait for their next step. A bound host is given only to
 * requests of its own key; a host that ended unclean is never given again.
 */
export class HostPool {
  readonly #launch: HostFactory;
  readonly #clock: Clock;
  readonly #options: HostPoolOptions;
  readonly #all = new Set<SandboxHost>();
  #blanks: SandboxHost[] = [];
  #idle: IdleHost[] = [];
  #refilling: Promise<void> | null = null;
  #isOpen = false;

  constructor(launch: HostFactory, clock: Clock, options: HostPoolOptions) {
    this.#launch = launch;
    this.#clock = clock;
    this.#options = options;
  }

  /** Launches the warm blanks and waits until they are ready. */
  async open(): Promise<void> {
    this.#isOpen = true;
    await this.#refill();
    await Promise.all(this.#blanks.map((host) => host.ready));
  }

  async run(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<StepResult> {
    const key = bindingKey(request);
    let host = this.#takeIdle(key);
    if (host === null) {
      host = await this.#blank(hostKindOf(request));
      const refused = await this.#bound(host, request, signal);
      if (refused !== null) {
        host.kill();
        await host.gone;
        return refused;
      }
    }
    if (signal.aborted) {
      host.kill();
      return stepFailure("RUN_CANCELLED", "cancelled");
    }
    const end = await host.run(request, ports, signal);
    if (end.clean && request.plugin.isolation === "realm") this.#keep(key, host);
    else host.kill();
    return end.result;
  }

  /** Kills every host; a step that runs ends as lost. */
  killAll(): void {
    this.#blanks = [];
    this.#idle = [];
    for (const host of this.#all) host.kill(stepFailure("SANDBOX_LOST", "all hosts of this worker were killed"));
  }

  /** Ends bound hosts that nobody asked for in a while; called by the owner's clock. */
  sweep(): void {
    const oldestMs = this.#clock.monotonicMs() - this.#options.idleMs;
    for (const idle of this.#idle) if (idle.sinceMs < oldestMs) idle.host.kill();
    this.#idle = this.#idle.filter((idle) => idle.sinceMs >= oldestMs);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.killAll();
    while (this.#all.size > 0) await Promise.all([...this.#all].map((host) => host.gone));
  }

  #takeIdle(key: string): SandboxHost | null {
    this.#idle = this.#idle.filter(({ host }) => !host.isDead);
    const at = this.#idle.findIndex((idle) => idle.key === key);
    return at < 0 ? null : (this.#idle.splice(at, 1)[0]?.host ?? null);
  }

  async #blank(kind: HostKind): Promise<SandboxHost> {
    this.#blanks = this.#blanks.filter((host) => !host.isDead);
    const at = this.#blanks.findIndex((host) => isSameKind(host.kind, kind));
    const host = at < 0 ? await this.#start(kind) : (this.#blanks.splice(at, 1)[0] ?? (await this.#start(kind)));
    // Not at once: the launch would take the core from the step that is just starting its thread.
    setTimeout(() => {
      this.#refill().catch(() => undefined);
    }, refillDelayMs).unref();
    await this.#ready(host);
    return host;
  }

  /** A host that takes no binding must not hold its step for ever, nor outlive the step's cancellation. */
  async #bound(host: SandboxHost, request: StepRequest, signal: AbortSignal): Promise<StepResult | null> {
    const onAbort = (): void => host.kill(stepFailure("RUN_CANCELLED", "cancelled"));
    const late = setTimeout(() => host.kill(), this.#options.startTimeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await host.bind(request);
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #ready(host: SandboxHost): Promise<void> {
    const late = setTimeout(() => host.kill(), this.#options.startTimeoutMs);
    try {
      await host.ready;
    } finally {
      clearTimeout(late);
    }
  }

  async #start(kind: HostKind): Promise<SandboxHost> {
    if (!this.#isOpen) throw new Fault("SANDBOX_UNAVAILABLE", "the sandbox is stopped");
    const host = await this.#launch(kind);
    this.#all.add(host);
    host.gone.finally(() => this.#all.delete(host)).catch(() => undefined);
    // Stopped while the launch was on its way: nobody else would end it.
    if (this.#isClosed()) host.kill();
    return host;
  }

  #isClosed(): boolean {
    return !this.#isOpen;
  }

  /** One refill at a time, or two would both see the same gap. */
  #refill(): Promise<void> {
    this.#refilling ??= this.#launchSpares().finally(() => {
      this.#refilling = null;
    });
    return this.#refilling;
  }

  /** A spare that cannot start is not tried again before somebody needs one. */
  async #launchSpares(): Promise<void> {
    for (const kind of this.#options.warmKinds) {
      while (this.#isOpen && this.#blanks.filter((host) => isSameKind(host.kind, kind)).length < this.#options.warm) {
        // Into the list as it is afterwards: the one from before the wait may be forgotten, and the host with it.
        const host = await this.#start(kind);
        this.#blanks.push(host);
      }
    }
  }

  #keep(key: string, host: SandboxHost): void {
    if (host.isDead || !this.#isOpen || host.steps >= this.#options.maxSteps) {
      host.kill();
      return;
    }
    this.#idle.push({ key, host, sinceMs: this.#clock.monotonicMs() });
    if (this.#idle.length > this.#options.maxIdle) this.#idle.shift()?.host.kill();
  }
}
