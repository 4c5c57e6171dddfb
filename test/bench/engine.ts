import { randomUUID } from "node:crypto";
import { createArtifactStore } from "../../src/artifact/index.ts";
import { canonicalText, type JsonObject, systemClock } from "../../src/base/index.ts";
import { sha256Hex } from "../../src/base/node-digest.ts";
import { createCompute } from "../../src/compute/index.ts";
import type { SandboxHosts } from "../../src/sandbox/index.ts";
import type { TenantSnapshot } from "../../src/spec/index.ts";
import { createStore } from "../../src/store/index.ts";
import { createWorker } from "../../src/worker/index.ts";
import { noSecrets } from "../support/no-secrets.ts";
import { silentLog } from "../support/silent-log.ts";
import { admitRuns, cancelledBody, dagWrite, quotaOf, snapshotOf, tenantChange } from "../support/store-fixtures.ts";
import type { BenchServer } from "./bench-server.ts";

export interface Engine extends AsyncDisposable {
  /** Admits `runs` runs of a DAG and resolves when all have settled. */
  run(tenant: string, runs: number): Promise<void>;
  apply(tenant: string, steps: JsonObject): Promise<void>;
}

export const noopPlugin = `var plugin = (() => { return { default: { run: () => ({ v: 1 }) } }; })();`;
const pluginBytes = Buffer.from(noopPlugin);
const pluginSha = sha256Hex(pluginBytes);

export const noopStep = { uses: "test.noop@1.0.0" } as const;

/** Our engine over the bench's server: real queue, real walk, real compute; `hosts` real or a no-op in memory. */
export async function openEngine(
  server: BenchServer,
  hosts: Pick<SandboxHosts, "run" | "killAll" | "capacity">,
): Promise<Engine> {
  const store = createStore(server.database, { clock: systemClock, log: silentLog });
  const compute = createCompute({ threads: 1 });
  await compute.start();
  let settled = 0;
  let wanted: { readonly count: number; readonly resolve: () => void } | null = null;
  const worker = createWorker(
    {
      queue: store.queue,
      createSeam: (registered) => store.createWorkerSeam(registered),
      readSnapshot: async (tenant, hash) =>
        JSON.parse((await store.revision.readBlob(tenant, hash))?.toString() ?? "null") as TenantSnapshot,
      readBlob: (tenant, hash) => store.revision.readBlob(tenant, hash),
      approvalsOf: () => Promise.resolve([]),
      currentGrants: (tenant, known) => store.revision.currentGrants(tenant, known),
      secrets: noSecrets,
      hosts,
      compute,
      artifacts: await createArtifactStore({ root: server.scratch, redact: (text) => text }),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      emit: (event) => {
        if (event.kind === "run_settled" && ++settled === wanted?.count) wanted.resolve();
      },
      failed: (fault) => {
        throw fault;
      },
    },
    {
      ...{
        name: "bench",
        site: "bench",
        runtime: { orrery: "bench", node: process.version, tzdata: "-", level: "none" },
      },
      ...{ maxRuns: 200, heartbeatMs: 2000, leaseTtlMs: 60_000, stopGraceMs: 1000 },
      ...{ logBytes: 1024, artifactBytes: 1024, blobCacheBytes: 1024 * 1024 },
    },
  );
  await worker.start();
  return {
    apply: async (tenant, steps) => {
      const quota = {
        ...quotaOf(),
        runs: { maxConcurrent: 1000, maxQueued: 100_000, startsPerHour: null },
        steps: { maxConcurrent: 1000 },
      };
      const plain = tenantChange({ tenant, quota });
      const specText = canonicalText({
        apiVersion: "orrery/v1",
        kind: "Dag",
        spec: { concurrency: { max: 1000 }, steps },
      });
      const snapshot: TenantSnapshot = {
        ...snapshotOf(plain.to, quota),
        allowlist: { plugins: [{ name: "test.*", versions: ["1.x"] }], endpoints: [], secrets: [] },
        plugins: { "test.noop@1.0.0": manifest },
      };
      const dag = { ...dagWrite({ dagId: "hello" }), concurrencyMax: 1000, specText, specHash: sha256Hex(specText) };
      await store.revision.applyTenant(
        { ...plain, snapshot, blobs: [{ sha256: pluginSha, bytes: pluginBytes }], dags: [dag] },
        cancelledBody,
      );
    },
    run: async (tenant, runs) => {
      const done = new Promise<void>((resolve) => {
        wanted = { count: settled + runs, resolve };
      });
      for (let left = runs; left > 0; left -= 500) {
        await admitRuns(
          store,
          systemClock,
          tenant,
          Array.from({ length: Math.min(500, left) }, () => randomUUID()),
        );
      }
      worker.wake();
      await done;
    },
    [Symbol.asyncDispose]: async () => {
      await worker.stop();
      await compute.stop();
    },
  };
}

const manifest: TenantSnapshot["plugins"][string] = {
  ...{ name: "test.noop", version: "1.0.0", service: "test", emits: "raw", sha256: pluginSha, effects: "idempotent" },
  ...{
    needs: { network: false, builtins: [], secrets: [] },
    isolation: "realm",
    nondeterministic: false,
    input: { type: "object" },
    output: { type: "object" },
  },
} as const;

/** Steps that do nothing at all, in this process: what is left is the engine's own cost. */
export const noHosts: Pick<SandboxHosts, "run" | "killAll" | "capacity"> = {
  capacity: 1000,
  run: () => Promise.resolve({ kind: "output", text: '{"v":1}', cpuMs: 0 }),
  killAll: () => undefined,
};

export function chain(length: number): JsonObject {
  return Object.fromEntries(
    Array.from({ length }, (_, i) => [
      `s${String(i).padStart(3, "0")}`,
      { ...noopStep, ...(i === 0 ? {} : { needs: [`s${String(i - 1).padStart(3, "0")}`] }) },
    ]),
  );
}

export function fan(width: number): JsonObject {
  const middle = Array.from({ length: width }, (_, i) => `m${String(i).padStart(3, "0")}`);
  return {
    a: { ...noopStep },
    ...Object.fromEntries(middle.map((id) => [id, { ...noopStep, needs: ["a"] }])),
    z: { ...noopStep, needs: middle },
  };
}
