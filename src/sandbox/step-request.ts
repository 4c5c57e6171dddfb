import type { CodeName, ErrorClass, Service } from "../base/index.ts";
import type { EgressDecision, EgressEvent } from "../egress/index.ts";
import type { SecretValues } from "../secret/index.ts";

/**
 * `sealed` bubblewrap, seccomp and cgroup · `confined` bubblewrap, seccomp and rlimits · `process` own process, rlimits
 * and Node's permission model (stops accidents only) · `none` no step runs.
 */
export type SandboxLevel = "sealed" | "confined" | "process" | "none";

/** One attempt with everything resolved. */
export interface StepRequest {
  readonly tenant: string;
  readonly dagId: string;
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
  readonly attempt: number;
  /** The stepKey: equal over attempts. */
  readonly idempotencyKey: string;
  readonly traceparent: string;
  /** The run context: what `Date` and chance inside come from. `seed` = 64 hex digits. */
  readonly now: string;
  readonly seed: string;
  readonly plugin: StepPlugin;
  /** core.js only. */
  readonly code: string | null;
  /** Canonical JSON of the resolved `with`. */
  readonly withText: string;
  readonly files: readonly StepFile[];
  /** SHA-256 of the artifacts whose references stand in `with`. */
  readonly readable: readonly string[];
  /** Declared and granted, `host:port`. */
  readonly network: readonly string[];
  /**
   * Values lent to the step by name in the plugin. Only with isolation `host`, and never below level `confined`. What the
   * step says, writes and returns is held against them before a port sees it.
   */
  readonly secrets: SecretValues;
  readonly limits: StepLimits;
}

export interface StepPlugin {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly isolation: "realm" | "host";
  readonly nondeterministic: boolean;
  readonly builtins: readonly string[];
}

export interface StepFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface StepLimits {
  readonly memoryBytes: number;
  readonly cpuTimeMs: number;
  readonly scratchBytes: number;
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

export interface WrittenArtifact {
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
}

export interface StepLogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  /** Canonical JSON of an object. */
  readonly fields: string;
}

/** What the attempt may touch, given by the worker. Asked only for what the request declares. */
export interface StepPorts {
  readFile(path: string): AsyncIterable<Uint8Array>;
  readArtifact(sha256: string): AsyncIterable<Uint8Array>;
  writeArtifact(bytes: AsyncIterable<Uint8Array>, mediaType: string): Promise<WrittenArtifact>;
  log(line: StepLogLine): void;
  /** The current allowlist; asked at each connect and, while tunnels are open, again every two seconds. */
  decideEgress(host: string, port: number): EgressDecision;
  egress(event: EgressEvent): void;
}

/** The end of one attempt. `text` is exactly what the host sent: canonical form, schema and AOC are the worker's checks. */
export type StepResult =
  | { readonly kind: "output"; readonly text: string; readonly cpuMs: number }
  | {
      readonly kind: "failed";
      readonly class: ErrorClass;
      readonly code: CodeName;
      readonly message: string;
      /** Left out where nothing of it ran. */
      readonly cpuMs?: number;
    };

/** What the canary found when it ran in the real launcher. */
export interface SandboxFacts {
  readonly level: SandboxLevel;
  readonly probes: readonly CanaryProbe[];
  /** Why the level is not higher; null at `sealed`. */
  readonly reason: string | null;
  /** The one command that gives a higher level; null where there is none. */
  readonly fix: string | null;
  /** Limits that nothing holds here, for people; empty at `confined` and above. */
  readonly unheld: readonly string[];
  /** The Node version that runs steps. */
  readonly node: string;
}

export interface CanaryProbe {
  readonly name: string;
  readonly stopped: boolean;
  readonly detail: string;
}

/** The machine's sandbox hosts. `start` launches the warm ones; `stop` kills all and waits for their end. */
export interface SandboxHosts extends Service {
  readonly level: SandboxLevel;
  readonly facts: SandboxFacts;
  /** How many steps run at once; a further `run` waits its turn. */
  readonly capacity: number;
  /** Never rejects for what a step does. Aborting kills the host; the result is then RUN_CANCELLED. */
  run(request: StepRequest, ports: StepPorts, signal: AbortSignal): Promise<StepResult>;
  /** On fencing: every host dies before anything else happens. */
  killAll(): void;
}
