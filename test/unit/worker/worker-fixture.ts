import { createArtifactStore } from "../../../src/artifact/index.ts";
import { canonicalText, type Fault, type Json, type JsonObject } from "../../../src/base/index.ts";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import { checkInput, checkOutput } from "../../../src/compute/tasks.ts";
import type { RunRecord, StepRecord } from "../../../src/record/index.ts";
import {
  type Allowlist,
  evaluateExpression,
  type PluginManifest,
  type Quota,
  type TenantSnapshot,
} from "../../../src/spec/index.ts";
import type { AttemptOutcome, ClaimedRun } from "../../../src/store/index.ts";
import {
  createWorker,
  type StepCompute,
  type Worker,
  type WorkerDeps,
  type WorkerEvent,
} from "../../../src/worker/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeHosts, type FakePlugin } from "../../support/fake-hosts.ts";
import { FakeQueue, testSite } from "../../support/fake-seam.ts";
import { noSecrets } from "../../support/no-secrets.ts";
import { silentLog } from "../../support/silent-log.ts";
import { MemoryFs } from "../artifact/memory-fs.ts";

export const startUtc = "2026-11-24T00:00:00.000Z";

export const quota: Quota = {
  weight: 1,
  runs: { maxConcurrent: 4, maxQueued: 100, startsPerHour: null },
  steps: { maxConcurrent: 4 },
  perStep: {
    memoryBytes: 256 * 1024 * 1024,
    cpuTimeMs: 60_000,
    timeoutMs: 600_000,
    scratchBytes: 64 * 1024 * 1024,
    outputBytes: 1024 * 1024,
  },
  perDay: { cpuTimeMs: null, artifactBytes: null },
  minIntervalMs: 60_000,
  overrides: [],
};

export const allGranted: Allowlist = { plugins: [{ name: "test.*", versions: ["1.x"] }], endpoints: [], secrets: [] };

interface TestPlugin extends Partial<Omit<PluginManifest, "name" | "version" | "sha256">> {
  readonly run?: FakePlugin;
}

/** The normal form of a DAG. Steps use `test.<step id>@1.0.0` unless they say otherwise. */
export function dag(steps: Readonly<Record<string, JsonObject>>, rest: JsonObject = {}): JsonObject {
  return { apiVersion: "orrery/v1", kind: "Dag", spec: { steps: withUses(steps), ...rest } };
}

export function finallyOf(steps: Readonly<Record<string, JsonObject>>): JsonObject {
  return { finally: withUses(steps) };
}

function withUses(steps: Readonly<Record<string, JsonObject>>): JsonObject {
  return Object.fromEntries(
    Object.entries(steps).map(([stepId, step]) => [stepId, { uses: `test.${stepId}@1.0.0`, ...step }]),
  );
}

export interface Admission {
  readonly spec: JsonObject;
  readonly plugins?: Readonly<Record<string, TestPlugin>>;
  readonly tenant?: string;
  readonly dagId?: string;
  readonly key?: string;
  readonly inputs?: JsonObject;
  readonly quota?: Quota;
  readonly allowlist?: Allowlist;
  readonly files?: Readonly<Record<string, string>>;
}

export async function setup(): Promise<Bench> {
  const fs = new MemoryFs("/data");
  const artifacts = await createArtifactStore({
    root: "/data",
    redact: (text) => text.replaceAll("hunter2", "***"),
    fs,
  });
  return new Bench(artifacts);
}

/** A site in memory: one queue, one machine, workers as a test starts them. */
export class Bench {
  readonly clock = new FakeClock(startUtc);
  readonly queue = new FakeQueue();
  hosts = new FakeHosts();
  readonly events: WorkerEvent[] = [];
  readonly failures: Fault[] = [];
  readonly grants = new Map<string, Allowlist>();
  readonly artifacts: Awaited<ReturnType<typeof createArtifactStore>>;
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #snapshots = new Map<string, TenantSnapshot>();

  constructor(artifacts: Awaited<ReturnType<typeof createArtifactStore>>) {
    this.artifacts = artifacts;
  }

  admit(admission: Admission): ClaimedRun {
    const tenant = admission.tenant ?? "acme";
    const files = Object.entries(admission.files ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const snapshot: TenantSnapshot = {
      revision: "d".repeat(40),
      quota: admission.quota ?? quota,
      allowlist: admission.allowlist ?? allGranted,
      plugins: this.#plugins(tenant, admission),
      files: files.map(([path, text]) => ({ path, sha256: this.blob(tenant, text), bytes: Buffer.byteLength(text) })),
      secrets: [],
    };
    const hash = sha256Hex(canonicalText(snapshot));
    this.#snapshots.set(`${tenant}/${hash}`, snapshot);
    if (!this.grants.has(tenant)) this.grants.set(tenant, snapshot.allowlist);
    const { spec, dagId, key, inputs } = admission;
    const optional = { ...(dagId && { dagId }), ...(key && { key }), ...(inputs && { inputs }) };
    return this.queue.admit({ tenant, spec, snapshot: hash, startedUtc: startUtc, ...optional });
  }

  blob(tenant: string, text: string): string {
    const sha256 = sha256Hex(text);
    this.#blobs.set(`${tenant}/${sha256}`, Buffer.from(text));
    return sha256;
  }

  forgeBlob(tenant: string, sha256: string, text: string): void {
    this.#blobs.set(`${tenant}/${sha256}`, Buffer.from(text));
  }

  #plugins(tenant: string, { spec, plugins = {} }: Admission): Record<string, PluginManifest> {
    const { steps, finally: last = {} } = spec["spec"] as { steps: JsonObject; finally?: JsonObject };
    const used = Object.values({ ...steps, ...last }).map((step) => (step as { uses: string }).uses);
    return Object.fromEntries(
      used.map((uses) => {
        const [name = "", version = ""] = uses.split("@");
        const { run, ...manifest } = plugins[name.replace(/^test\./, "")] ?? {};
        if (run !== undefined) this.hosts.plugins.set(name, run);
        const base = {
          name,
          version,
          service: "test",
          emits: "raw" as const,
          sha256: this.blob(tenant, `// ${uses}`),
          effects: "idempotent" as const,
          needs: { network: false, builtins: [], secrets: [] },
          isolation: "realm" as const,
          nondeterministic: false,
          input: { type: "object" },
          output: { type: "object" },
        };
        return [uses, { ...base, ...manifest }];
      }),
    );
  }

  worker(overrides: Partial<WorkerDeps> = {}, maxRuns = 8): Worker {
    const deps: WorkerDeps = {
      queue: this.queue,
      createSeam: this.queue.createSeam,
      readSnapshot: (tenant, hash) => {
        const snapshot = this.#snapshots.get(`${tenant}/${hash}`);
        return snapshot === undefined ? Promise.reject(new Error("no snapshot")) : Promise.resolve(snapshot);
      },
      readBlob: (tenant, hash) => Promise.resolve(this.#blobs.get(`${tenant}/${hash}`) ?? null),
      approvalsOf: () => Promise.resolve([]),
      currentGrants: (tenant) =>
        Promise.resolve({
          revision: this.queue.revisions[tenant] ?? "d".repeat(40),
          allowlist: this.grants.get(tenant) ?? { plugins: [], endpoints: [], secrets: [] },
        }),
      secrets: noSecrets,
      hosts: this.hosts,
      compute: inlineCompute,
      artifacts: this.artifacts,
      clock: this.clock,
      random: () => 0.5,
      log: silentLog,
      emit: (event) => this.events.push(event),
      failed: (fault) => this.failures.push(fault),
      ...overrides,
    };
    const runtime = { orrery: "0.1.0", node: "20.20.2", tzdata: "2025c", level: "confined" as const };
    return createWorker(deps, {
      name: "test",
      site: testSite,
      runtime,
      maxRuns,
      heartbeatMs: 2_000,
      leaseTtlMs: 30_000,
      stopGraceMs: 10_000,
      logBytes: 10_000,
      artifactBytes: 100_000,
      blobCacheBytes: 1_000_000,
    });
  }

  /** Lets time pass until `done`; every wait of the product is on the fake clock. */
  async until(done: () => boolean, stepMs = 250): Promise<void> {
    for (let turn = 0; turn < 20_000; turn++) {
      await turnOfTheLoop();
      if (done()) return;
      if (turn % 4 === 3) await this.clock.advance(stepMs);
    }
    throw new Error("it never came to that");
  }

  async untilSettled(...runs: readonly ClaimedRun[]): Promise<void> {
    await this.until(() => runs.every((run) => this.queue.run(run).settlement !== null));
  }

  /** Lets everything that needs no time happen. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await turnOfTheLoop();
  }

  record(run: ClaimedRun): RunRecord & { readonly steps: readonly StepRecord[] } {
    const { settlement } = this.queue.run(run);
    if (settlement === null) throw new Error("not settled");
    return JSON.parse(settlement.bodyText) as RunRecord & { readonly steps: readonly StepRecord[] };
  }

  step(run: ClaimedRun, stepId: string): StepRecord {
    const step = this.record(run).steps.find((each) => each.stepId === stepId);
    if (step === undefined) throw new Error(`no step ${stepId}`);
    return step;
  }

  attempts(run: ClaimedRun, stepId: string): readonly AttemptOutcome[] {
    const ofStep = this.queue.run(run).attempts.filter((attempt) => attempt.stepId === stepId);
    return ofStep.sort((a, b) => a.index - b.index || a.attempt - b.attempt);
  }

  output(run: ClaimedRun, stepId: string): Json {
    const text = this.attempts(run, stepId).find((attempt) => attempt.status === "succeeded")?.outputText;
    return JSON.parse(text ?? "null") as Json;
  }
}

export const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** compute/ without its threads: the same functions. */
const inlineCompute: StepCompute = {
  evaluate: (request) => Promise.resolve(evaluateExpression(request)),
  checkInput: (request) => Promise.resolve(checkInput(request)),
  checkOutput: (request) => Promise.resolve(checkOutput(request)),
};
