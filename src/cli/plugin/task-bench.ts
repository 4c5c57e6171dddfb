import { type CodeName, type Json, type JsonObject } from "../../base/index.ts";
import { createCompute } from "../../compute/index.ts";
import type { SandboxLevel, StepLogLine } from "../../sandbox/index.ts";
import type { SecretSources } from "../../secret/index.ts";
import type { AttemptOutcome } from "../../store/index.ts";
import { type LocalPlant, openLocalPlant } from "../local/local-plant.ts";
import { type LocalObserver, runLocally } from "../local/run-locally.ts";
import { allowsWeak, weakLevelLines } from "../local/weak-level.ts";
import { type BuiltPlugin, buildPlugin } from "./build-plugin.ts";
import { readPluginSource } from "./plugin-source.ts";
import { type TaskAsk, taskRequest } from "./task-request.ts";

/** How one asking of a task ended. */
export interface TaskAnswer {
  readonly status: AttemptOutcome["status"];
  readonly code: CodeName | null;
  /** What the task or the sandbox said of a failure. */
  readonly message: string | null;
  /** null where it did not succeed. */
  readonly output: Json;
  readonly outputsHash: string | null;
  /** null where it was refused before it started. */
  readonly stepHash: string | null;
  readonly logs: readonly { readonly level: string; readonly message: string; readonly fields: JsonObject }[];
  readonly artifacts: readonly TaskArtifact[];
  readonly egress: AttemptOutcome["egress"];
  readonly durationMs: number;
}

export interface TaskArtifact {
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
  readonly read: () => Promise<Uint8Array>;
}

/** A task of one's own in the real sandbox, built as it stands. */
export interface TaskBench extends AsyncDisposable {
  readonly level: SandboxLevel;
  /** What a weak level does not stop, a line each; none at `confined`. */
  readonly warnings: readonly string[];
  /** An abort ends the task, and the answer says so. */
  readonly run: (ask: TaskAsk, signal?: AbortSignal) => Promise<TaskAnswer>;
  readonly close: () => Promise<void>;
}

export interface TaskBenchOptions {
  /** Level `process` will do; so does ORRERY_ALLOW_WEAK=process. */
  readonly allowWeak?: boolean;
}

/**
 * Builds the source at `folder` (nothing is written) and opens a sandbox for it: input and output schema, AOC, limits,
 * grants and hashes are those of a daemon. For vitest: `import { openTaskBench } from "orrery/testing"`.
 */
export async function openTaskBench(folder: string, options: TaskBenchOptions = {}): Promise<TaskBench> {
  const bench = await benchOf(buildPlugin(readPluginSource(folder)), options);
  for (const line of bench.warnings) process.emitWarning(line, { code: "ORRERY_WEAK_SANDBOX" });
  return bench;
}

/** `building`: goes on while the sandbox opens. */
export async function benchOf(
  building: Promise<BuiltPlugin>,
  { allowWeak = false }: TaskBenchOptions,
): Promise<TaskBench> {
  const opening = openPlant(allowsWeak(allowWeak));
  // Heard where it is awaited.
  opening.catch(() => undefined);
  let built: BuiltPlugin;
  try {
    built = await building;
  } catch (error) {
    await (await opening.catch(() => null))?.close();
    throw error;
  }
  const { plant, close } = await opening;
  return {
    ...{ level: plant.level, warnings: weakLevelLines(plant.facts), close, [Symbol.asyncDispose]: close },
    run: (ask, signal = new AbortController().signal) => runTask({ plant, built }, ask, signal),
  };
}

interface OpenedPlant {
  readonly plant: LocalPlant;
  readonly close: () => Promise<void>;
}

async function openPlant(allowWeak: boolean): Promise<OpenedPlant> {
  const compute = createCompute({ threads: 1 });
  try {
    const opening = openLocalPlant({
      compute,
      allowWeak,
      keepStore: false,
      warn: () => undefined,
    });
    const [plant] = await Promise.all([opening, compute.start()]);
    return {
      plant,
      close: async () => {
        await plant[Symbol.asyncDispose]();
        await compute.stop();
      },
    };
  } catch (error) {
    await compute.stop();
    throw error;
  }
}

interface Ready {
  readonly plant: LocalPlant;
  readonly built: BuiltPlugin;
}

async function runTask({ plant, built }: Ready, ask: TaskAsk, signal: AbortSignal): Promise<TaskAnswer> {
  const heard: Heard = { logs: [], detail: null, refusal: null };
  const request = taskRequest(built, ask);
  const secrets = secretsOf(ask.secrets ?? {});
  const { attempts, record } = await runLocally(plant, request, { observer: listener(heard), secrets }, signal);
  const outcome = attempts.at(-1);
  if (outcome === undefined) return refused(record.code ?? "INTERNAL", heard);
  return {
    status: outcome.status,
    code: outcome.code,
    message: heard.detail ?? outcome.message,
    output: outcome.outputText === null ? null : (JSON.parse(outcome.outputText) as Json),
    outputsHash: outcome.outputsHash,
    stepHash: outcome.stepHash,
    logs: heard.logs,
    artifacts: outcome.artifacts.map((ref) => ({ ...ref, read: () => readArtifact(plant, built, ref.artifact) })),
    egress: outcome.egress,
    durationMs: Date.parse(outcome.endedUtc) - Date.parse(outcome.startedUtc),
  };
}

interface Heard {
  readonly logs: TaskAnswer["logs"][number][];
  detail: string | null;
  refusal: string | null;
}

function listener(heard: Heard): LocalObserver {
  const nothing = (): void => undefined;
  return {
    started: nothing,
    attemptStarted: nothing,
    logged: (_at, { level, message, fields }: StepLogLine) => {
      heard.logs.push({ level, message, fields: JSON.parse(fields) as JsonObject });
    },
    attemptEnded: (_outcome, detail) => {
      heard.detail = detail;
    },
    stepEnded: nothing,
    warned: ({ reason }) => {
      if (typeof reason === "string") heard.refusal ??= reason;
    },
  };
}

const refused = (code: string, { refusal, logs }: Heard): TaskAnswer => ({
  status: "failed",
  code: code as CodeName,
  message: refusal,
  output: null,
  outputsHash: null,
  stepHash: null,
  logs,
  artifacts: [],
  egress: [],
  durationMs: 0,
});

const secretsOf = (values: Readonly<Record<string, string>>): Pick<SecretSources, "find"> => ({
  find: (_tenant, name) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return Promise.resolve(value === undefined ? { kind: "absent" } : { kind: "found", source: "file", value });
  },
});

async function readArtifact({ artifacts }: LocalPlant, { source }: BuiltPlugin, sha256: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of artifacts.read(source.tenant, sha256)) pieces.push(piece);
  return Buffer.concat(pieces);
}
