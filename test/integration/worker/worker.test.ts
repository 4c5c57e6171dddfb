import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createArtifactStore } from "../../../src/artifact/index.ts";
import { canonicalText, type JsonObject, systemClock } from "../../../src/base/index.ts";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import { type Compute, createCompute } from "../../../src/compute/index.ts";
import type { RunRecord } from "../../../src/record/index.ts";
import type { TenantSnapshot } from "../../../src/spec/index.ts";
import { createWorker, type Worker, type WorkerEvent } from "../../../src/worker/index.ts";
import { FakeHosts, hanging } from "../../support/fake-hosts.ts";
import { noSecrets } from "../../support/no-secrets.ts";
import { silentLog } from "../../support/silent-log.ts";
import { admitRuns, cancelledBody, dagWrite, quotaOf, snapshotOf, tenantChange } from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

/* The worker over the real queue: PostgreSQL, real expressions in real threads, real files. Only the hosts are fake. */

const pluginBytes = Buffer.from("// a plugin");
const pluginSha = sha256Hex(pluginBytes);

let world: StoreWorld;
let compute: Compute;
let root: string;

beforeAll(async () => {
  world = await openStoreWorld();
  compute = createCompute({ threads: 1 });
  await compute.start();
  root = await mkdtemp(join(tmpdir(), "worker-"));
});

afterAll(async () => {
  await compute.stop();
  await world[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

/** Applies a tenant with one DAG, whose steps all use the one plugin. */
async function apply(tenant: string, steps: JsonObject, rest: JsonObject = {}): Promise<void> {
  const plain = tenantChange({ tenant, quota: quotaOf() });
  const specText = canonicalText({ apiVersion: "orrery/v1", kind: "Dag", spec: { steps, ...rest } });
  const snapshot: TenantSnapshot = {
    ...snapshotOf(plain.to, plain.quota),
    allowlist: { plugins: [{ name: "test.*", versions: ["1.x"] }], endpoints: [], secrets: [] },
    plugins: Object.fromEntries(
      Object.values(steps).map((step) => {
        const uses = (step as { uses: string }).uses;
        return [uses, manifestOf(uses)];
      }),
    ),
  };
  const dag = { ...dagWrite({ dagId: "hello" }), specText, specHash: sha256Hex(specText) };
  const blobs = [{ sha256: pluginSha, bytes: pluginBytes }];
  await world.store.revision.applyTenant({ ...plain, snapshot, blobs, dags: [dag] }, cancelledBody);
}

function manifestOf(uses: string): TenantSnapshot["plugins"][string] {
  const [name = "", version = ""] = uses.split("@");
  return {
    name,
    version,
    service: "test",
    emits: "raw",
    sha256: pluginSha,
    effects: name === "test.any" ? "any" : "idempotent",
    needs: { network: false, builtins: [], secrets: [] },
    isolation: "realm",
    nondeterministic: false,
    input: { type: "object" },
    output: { type: "object" },
  };
}

interface Running extends AsyncDisposable {
  readonly worker: Worker;
  readonly hosts: FakeHosts;
  readonly failures: string[];
  readonly workerIds: string[];
  /** Resolves when so many runs have settled here. */
  settled(runs: number): Promise<void>;
  /** Resolves when a step of this id executes. */
  executing(stepId: string): Promise<void>;
}

async function startWorker(
  plugins: Readonly<Record<string, Parameters<FakeHosts["plugins"]["set"]>[1]>> = {},
): Promise<Running> {
  const { store } = world;
  const hosts = new FakeHosts();
  const waiting = new Set<{ readonly done: () => boolean; readonly resolve: () => void }>();
  const events: WorkerEvent[] = [];
  const executed = new Set<string>();
  const failures: string[] = [];
  const workerIds: string[] = [];
  const look = (): void => {
    for (const each of waiting) if (each.done()) each.resolve();
  };
  const until = (done: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      waiting.add({ done, resolve });
      look();
    });
  const run = hosts.run.bind(hosts);
  hosts.run = (request, ports, signal) => {
    executed.add(request.stepId);
    look();
    return run(request, ports, signal);
  };
  for (const [name, plugin] of Object.entries(plugins)) hosts.plugins.set(name, plugin);
  const worker = createWorker(
    {
      queue: {
        registerWorker: async (name) => {
          const registered = await store.queue.registerWorker(name);
          workerIds.push(registered.workerId);
          return registered;
        },
        retireWorker: (id) => store.queue.retireWorker(id),
      },
      createSeam: (id) => store.createWorkerSeam(id),
      readSnapshot: async (tenant, hash) =>
        JSON.parse((await store.revision.readBlob(tenant, hash))?.toString() ?? "null") as TenantSnapshot,
      readBlob: (tenant, hash) => store.revision.readBlob(tenant, hash),
      currentGrants: (tenant, known) => store.revision.currentGrants(tenant, known),
      approvalsOf: (tenant, commits) => store.revision.approvalsOf(tenant, commits),
      secrets: noSecrets,
      hosts,
      compute,
      artifacts: await createArtifactStore({ root, redact: (text) => text }),
      clock: systemClock,
      random: () => 0.5,
      log: silentLog,
      emit: (event) => {
        events.push(event);
        look();
      },
      failed: (fault) => {
        failures.push(fault.code);
        look();
      },
    },
    {
      name: "test",
      site: "hq",
      runtime: { orrery: "0.1.0", node: process.versions.node, tzdata: "2025c", level: "none" },
      maxRuns: 8,
      heartbeatMs: 200,
      leaseTtlMs: 30_000,
      stopGraceMs: 1_000,
      logBytes: 10_000,
      artifactBytes: 100_000,
      blobCacheBytes: 1_000_000,
    },
  );
  await worker.start();
  return {
    worker,
    hosts,
    failures,
    workerIds,
    settled: (runs) => until(() => events.filter((event) => event.kind === "run_settled").length >= runs),
    executing: (stepId) => until(() => executed.has(stepId)),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

async function recordOf(runId: string): Promise<RunRecord> {
  const rows = await world.db.admin<{ body: string }>("select body::text from outbox where record_id = $1", [
    `run/${runId}`,
  ]);
  expect(rows).toHaveLength(1);
  return JSON.parse(rows[0]!.body) as RunRecord;
}

const once = <T>(values: readonly T[]): T => {
  expect(values).toHaveLength(1);
  return values[0]!;
};

const fan = {
  split: { uses: "test.split@1.0.0" },
  each: {
    uses: "test.echo@1.0.0",
    needs: ["split"],
    forEach: { in: "${{ steps.split.outputs.list }}", as: "n" },
    with: { n: "${{ n }}" },
  },
  join: { uses: "test.echo@1.0.0", needs: ["each"], with: { sizes: "${{ size(steps.each.outputs) }}" } },
};

const plugins = { "test.split": () => ({ list: Array.from({ length: 20 }, (_, i) => i) }) };

describe("the worker over PostgreSQL", () => {
  it("walks a fan-out of two tenants at once and leaves ledger, attempts and record bodies", async () => {
    await apply("fan-a", fan);
    await apply("fan-b", fan);
    const runA = once(await admitRuns(world.store, systemClock, "fan-a", ["one"]));
    const runB = once(await admitRuns(world.store, systemClock, "fan-b", ["one"]));
    await using running = await startWorker(plugins);

    await running.settled(2);

    for (const [tenant, runId] of [
      ["fan-a", runA],
      ["fan-b", runB],
    ] as const) {
      const run = await world.store.ledger.getRun(tenant, runId);
      const attempts = await world.store.ledger.attempts(tenant, runId);
      const record = await recordOf(runId);
      expect(run).toMatchObject({ state: "succeeded", outputsHash: record.outputsHash });
      expect(attempts).toHaveLength(22);
      expect(record.steps?.map(({ stepId, status, attempts: of }) => [stepId, status, of.length])).toEqual([
        ["each", "succeeded", 20],
        ["join", "succeeded", 1],
        ["split", "succeeded", 1],
      ]);
    }
  });

  it("a worker that is taken for dead kills its hosts and stores nothing; a fresh start ends the run once", async () => {
    await apply("fence", { a: { uses: "test.a@1.0.0" }, b: { uses: "test.b@1.0.0", needs: ["a"] } });
    const runId = once(await admitRuns(world.store, systemClock, "fence", ["one"]));
    await using running = await startWorker({ "test.b": hanging });
    await running.executing("b");

    await world.store.queue.retireWorker(running.workerIds[0]!);
    running.worker.wake();
    await expect.poll(() => running.failures).toEqual(["WORKER_FENCED"]);
    const between = await world.store.ledger.attempts("fence", runId);
    running.hosts.plugins.set("test.b", () => ({}));
    await running.worker.start();
    await running.settled(1);

    const keys = running.hosts.requests
      .filter(({ stepId }) => stepId === "b")
      .map(({ idempotencyKey }) => idempotencyKey);
    expect(running.hosts.killedAll).toBe(1);
    expect(between.map(({ stepId }) => stepId)).toEqual(["a"]);
    expect(running.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a", "b", "b"]);
    expect(new Set(keys).size).toBe(1);
    expect((await recordOf(runId)).status).toBe("succeeded");
  });

  it("a step of unknown effects that was under way is not done again", async () => {
    await apply("effects", { a: { uses: "test.any@1.0.0" } });
    const runId = once(await admitRuns(world.store, systemClock, "effects", ["one"]));
    await using running = await startWorker({ "test.any": hanging });
    await running.executing("a");

    await world.store.queue.retireWorker(running.workerIds[0]!);
    running.worker.wake();
    await expect.poll(() => running.failures).toEqual(["WORKER_FENCED"]);
    await running.worker.start();
    await running.settled(1);

    expect(running.hosts.requests).toHaveLength(1);
    expect(await recordOf(runId)).toMatchObject({ status: "failed", errorClass: "lost", code: "LOST_OUTCOME_UNKNOWN" });
  });

  it("goes on when its connections are cut in the middle of runs", async () => {
    await apply("cut", fan);
    const runIds = await admitRuns(world.store, systemClock, "cut", ["one", "two", "three"]);
    let cut = 0;
    await using running = await startWorker({
      ...plugins,
      "test.echo": async (input) => {
        if (cut++ === 10) {
          await world.db.admin(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
          );
        }
        return { echo: input };
      },
    });

    await running.settled(3);

    for (const runId of runIds) {
      const attempts = await world.store.ledger.attempts("cut", runId);
      expect((await recordOf(runId)).status).toBe("succeeded");
      expect(new Set(attempts.map(({ stepId, index }) => `${stepId}/${index}`)).size).toBe(22);
      expect(attempts).toHaveLength(22);
    }
    expect(running.failures).toEqual([]);
  });

  it("a cancel that the store knows ends the run, and its record says who and why", async () => {
    await apply("cancel", { a: { uses: "test.a@1.0.0" } });
    const runId = once(await admitRuns(world.store, systemClock, "cancel", ["one"]));
    await using running = await startWorker({ "test.a": hanging });
    await running.executing("a");

    await world.store.admission.cancel({
      tenant: "cancel",
      runId,
      actor: { kind: "user", subject: "omar", key: null },
      rationale: "wrong day",
      now: new Date().toISOString(),
      bodyOf: cancelledBody,
    });
    running.worker.wake();
    await running.settled(1);

    const record = await recordOf(runId);
    expect(record.status).toBe("cancelled");
    expect(record.rationale).toContainEqual({ source: "cancel", text: "user omar: wrong day" });
  });

  it("a clean stop gives the run back, and the next worker goes on after what is stored", async () => {
    await apply("stop", { a: { uses: "test.a@1.0.0" }, b: { uses: "test.b@1.0.0", needs: ["a"] } });
    const runId = once(await admitRuns(world.store, systemClock, "stop", ["one"]));
    const first = await startWorker({ "test.b": hanging });
    await first.executing("b");

    await first.worker.stop();
    await using second = await startWorker();
    await second.settled(1);

    expect(second.hosts.requests.map(({ stepId }) => stepId)).toEqual(["b"]);
    expect((await recordOf(runId)).status).toBe("succeeded");
  });
});
