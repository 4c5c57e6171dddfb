import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSandbox } from "../../../scripts/build-sandbox.ts";
import { systemClock } from "../../../src/base/index.ts";
import type { EgressEvent } from "../../../src/egress/index.ts";
import {
  createSandboxHosts,
  type SandboxHosts,
  type SandboxLevel,
  type SandboxOptions,
  type StepLogLine,
  type StepPlugin,
  type StepPorts,
  type StepRequest,
  type StepResult,
} from "../../../src/sandbox/index.ts";

const mebibyte = 1024 * 1024;

export interface Bench extends AsyncDisposable {
  readonly hosts: SandboxHosts;
  readonly dir: string;
  readonly logs: StepLogLine[];
  readonly egress: EgressEvent[];
  readonly written: Map<string, Buffer>;
  /** Runs a plugin's text; `run` is its body as a function `(input, ctx) => output`. */
  step(run: string, over?: StepOverrides): Promise<StepResult>;
}

export interface StepOverrides {
  readonly isolation?: "realm" | "host";
  readonly builtins?: readonly string[];
  readonly nondeterministic?: boolean;
  readonly with?: unknown;
  readonly limits?: Partial<StepRequest["limits"]>;
  readonly request?: Partial<StepRequest>;
  readonly ports?: Partial<StepPorts>;
  readonly signal?: AbortSignal;
  readonly text?: string;
}

/** A built sandbox in a directory of its own, started; what it may not find on this machine shows in `hosts.facts`. */
export async function openSandbox(over: Partial<SandboxOptions> & { level?: SandboxLevel } = {}): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), "osb-"));
  await chmod(dir, 0o755);
  const appDir = over.appDir ?? join(dir, "app");
  if (over.appDir === undefined) await buildSandbox(appDir);
  const hosts = await createSandboxHosts(
    { clock: systemClock, random: (n) => randomBytes(n), log: { warn: () => undefined } },
    {
      socketDir: dir,
      stateDir: dir,
      appDir,
      uidsBase: process.getuid?.() === 0 ? 61_001 : null,
      hosts: 2,
      warm: 1,
      minLevel: "process",
      ...(over.level === undefined ? {} : { forceLevel: over.level }),
      ...over,
    },
  );
  await hosts.start();
  const logs: StepLogLine[] = [];
  const egress: EgressEvent[] = [];
  const written = new Map<string, Buffer>();
  const ports: StepPorts = {
    readFile: (path) => bytesOf(`file ${path}`),
    readArtifact: (sha256) => bytesOf(`artifact ${sha256}`),
    writeArtifact: async (bytes, mediaType) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      const content = Buffer.concat(chunks);
      const artifact = createHash("sha256").update(content).digest("hex");
      written.set(artifact, content);
      return { artifact, bytes: content.length, mediaType };
    },
    log: (line) => void logs.push(line),
    decideEgress: () => "allow",
    egress: (event) => void egress.push(event),
  };
  return {
    hosts,
    dir,
    logs,
    egress,
    written,
    step: (run, options = {}) =>
      hosts.run(
        stepRequest(run, options),
        { ...ports, ...options.ports },
        options.signal ?? new AbortController().signal,
      ),
    [Symbol.asyncDispose]: async () => {
      await hosts.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function stepRequest(run: string, over: StepOverrides = {}): StepRequest {
  return {
    tenant: "acme",
    dagId: "attack",
    runId: "0190f5c8-0000-7000-8000-000000000000",
    stepId: "attack",
    index: 0,
    attempt: 1,
    idempotencyKey: "a".repeat(64),
    traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    now: "2026-01-02T03:04:05.678Z",
    seed: "b".repeat(64),
    plugin: pluginOf(over.text ?? `var plugin = { default: { run: ${run} } };`, over),
    code: null,
    withText: JSON.stringify(over.with ?? {}),
    files: [{ path: "data/a.json", sha256: "c".repeat(64), bytes: 16 }],
    readable: ["d".repeat(64)],
    network: [],
    secrets: {},
    limits: {
      memoryBytes: 128 * mebibyte,
      cpuTimeMs: 20_000,
      scratchBytes: 16 * mebibyte,
      timeoutMs: 10_000,
      outputBytes: mebibyte,
      ...over.limits,
    },
    ...over.request,
  };
}

function pluginOf(text: string, over: StepOverrides): StepPlugin {
  const bytes = Buffer.from(text);
  return {
    name: "test.attack",
    version: "1.0.0",
    sha256: createHash("sha256").update(bytes).digest("hex"),
    bytes,
    isolation: over.isolation ?? "realm",
    nondeterministic: over.nondeterministic ?? false,
    builtins: over.builtins ?? [],
  };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(Buffer.from(text));
}

/** `output` parsed, or the failure's `class/code`. */
export function outcome(result: StepResult): unknown {
  return result.kind === "output" ? (JSON.parse(result.text) as unknown) : `${result.class}/${result.code}`;
}

/** Every host process of this machine whose command line names `dir`. */
export async function hostProcesses(dir: string): Promise<number[]> {
  const { readdir, readFile } = await import("node:fs/promises");
  const pids: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (line.includes("host.cjs") && line.includes(dir)) pids.push(Number(name));
  }
  return pids;
}
