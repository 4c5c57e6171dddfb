import { availableParallelism } from "node:os";
import { type Clock, Fault } from "../base/index.ts";
import { HostPool } from "./host-pool.ts";
import { type ProbedSandbox, type ProbeOptions, probeSandbox } from "./probe-level.ts";
import { stepFailure } from "./step-failure.ts";
import type { SandboxHosts, SandboxLevel, StepPorts, StepRequest, StepResult } from "./step-request.ts";
import { Turnstile } from "./turnstile.ts";

export interface SandboxDeps {
  readonly clock: Clock;
  readonly random: (n: number) => Uint8Array;
  readonly log: { warn(fields: object, message: string): void };
}

export interface SandboxOptions extends ProbeOptions {
  /** Steps at once; default two a core. */
  readonly hosts?: number;
  /** Blanks kept ready, of each kind (with and without a broker). */
  readonly warm: number;
  /** Below it no step runs: capacity 0, and `run` answers SANDBOX_UNAVAILABLE. */
  readonly minLevel: SandboxLevel;
}

const strength: Readonly<Record<SandboxLevel, number>> = { none: 0, process: 1, confined: 2, sealed: 3 };
const mebibyte = 1024 * 1024;
const idleMs = 60_000;

/** Probes the level with the canary and builds the unstarted service. Rejects only where the machine itself fails. */
export async function createSandboxHosts(deps: SandboxDeps, options: SandboxOptions): Promise<SandboxHosts> {
  const probed = await probeSandbox(deps, options);
  return new PooledHosts(deps, options, probed);
}

class PooledHosts implements SandboxHosts {
  readonly name = "sandbox";
  readonly level: SandboxLevel;
  readonly facts: SandboxHosts["facts"];
  readonly capacity: number;
  readonly #pool: HostPool | null;
  readonly #turnstile: Turnstile;
  readonly #deps: SandboxDeps;
  #sweeper: NodeJS.Timeout | null = null;
  #running = new Set<Promise<StepResult>>();

  constructor(deps: SandboxDeps, options: SandboxOptions, { facts, launch }: ProbedSandbox) {
    const hosts = options.hosts ?? availableParallelism() * 2;
    const mayRun = launch !== null && strength[facts.level] >= strength[options.minLevel];
    this.#deps = deps;
    this.facts = facts;
    this.level = facts.level;
    this.capacity = mayRun ? hosts : 0;
    this.#turnstile = new Turnstile(this.capacity);
    const base = { memoryBytes: 128 * mebibyte, scratchBytes: 16 * mebibyte };
    this.#pool = mayRun
      ? new HostPool(launch, deps.clock, {
          warm: options.warm,
          warmKinds: [
            { ...base, broker: false },
            { ...base, broker: true },
          ],
          maxIdle: hosts,
          idleMs,
          maxSteps: 200,
          startTimeoutMs: 15_000,
        })
      : null;
  }

  async start(): Promise<void> {
    if (this.#pool === null) {
      this.#deps.log.warn({ sandbox: this.level, reason: this.facts.reason }, "no step runs: the sandbox is too weak");
      return;
    }
    await this.#pool.open();
    this.#sweeper ??= setInterval(() => this.#pool?.sweep(), idleMs / 4).unref();
  }

  async stop(): Promise<void> {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
    await this.#pool?.close();
    await Promise.all(this.#running);
  }

  run(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<StepResult> {
    const running = this.#run(request, ports, signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  killAll(): void {
    this.#pool?.killAll();
  }

  async #run(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<StepResult> {
    if (this.#pool === null)
      return stepFailure("SANDBOX_UNAVAILABLE", `sandbox level ${this.level} is below the configured minimum`);
    const refused = secretsRefused(request, this.level);
    if (refused !== null) return refused;
    let leave: () => void;
    try {
      leave = await this.#turnstile.enter(signal);
    } catch {
      return stepFailure("RUN_CANCELLED", "cancelled before it started");
    }
    try {
      return await this.#pool.run(request, ports, signal);
    } catch (error) {
      this.#deps.log.warn({ err: error, tenant: request.tenant, runId: request.runId }, "a step found no sandbox host");
      const message = error instanceof Fault ? error.message : "a sandbox host could not be used";
      return stepFailure("SANDBOX_UNAVAILABLE", message);
    } finally {
      leave();
    }
  }
}

/** A step with secrets runs alone behind a real wall: the worker asks for that, and this is what holds it to it. */
function secretsRefused({ secrets, plugin }: StepRequest, level: SandboxLevel): StepResult | null {
  if (Object.keys(secrets).length === 0) return null;
  if (!lendsSecrets(level)) return stepFailure("SECRET_LEVEL", `no step is lent secrets at sandbox level ${level}`);
  if (plugin.isolation === "host") return null;
  return stepFailure("INTERNAL", "a step with secrets was not given a host of its own");
}

/** Whether steps may be lent secrets at this level. */
export const lendsSecrets = (level: SandboxLevel): boolean => strength[level] >= strength.confined;
