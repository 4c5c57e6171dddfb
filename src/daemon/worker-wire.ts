import { Fault } from "../base/index.ts";
import type { TenantSnapshot } from "../spec/index.ts";
import { createWorker, type Worker, type WorkerEvent } from "../worker/index.ts";
import type { Plant } from "./plant.ts";

const restartMs = 1000;

/** The worker on this plant. One that was fenced is registered again, as a supervisor would. */
export function wireWorker(plant: Plant, emit: (event: WorkerEvent) => void): Worker {
  const { store, clock, log } = plant;
  const readBlob = async (tenant: string, sha256: string): Promise<Uint8Array | null> =>
    store.revision.readBlob(tenant, sha256);
  const worker: Worker = createWorker(
    {
      queue: store.queue,
      createSeam: (registered) => store.createWorkerSeam(registered),
      readSnapshot: async (tenant, sha256) => {
        const bytes = await readBlob(tenant, sha256);
        if (bytes === null) throw new Fault("INTERNAL", "a run's snapshot is not in the store");
        return JSON.parse(Buffer.from(bytes).toString("utf8")) as TenantSnapshot;
      },
      readBlob,
      currentGrants: async (tenant) =>
        (await store.revision.observeTenant(tenant)).snapshot?.allowlist ?? { plugins: [], endpoints: [] },
      hosts: plant.hosts,
      compute: plant.compute,
      artifacts: plant.artifacts,
      clock,
      random: Math.random,
      log,
      emit,
      failed: (fault) => {
        log.error({ code: fault.code, error: fault }, "the worker lost its lease, registering again");
        setTimeout(() => {
          worker.start().catch((error: unknown) => log.error({ error }, "the worker could not register again"));
        }, restartMs).unref();
      },
    },
    {
      name: `${plant.config.site}/${process.pid}`,
      site: plant.config.site,
      runtime: plant.runtime,
      maxRuns: 64,
      heartbeatMs: 2000,
      leaseTtlMs: leaseTtlMs,
      stopGraceMs: 5000,
      logBytes: 1024 * 1024,
      artifactBytes: 256 * 1024 * 1024,
      blobCacheBytes: 64 * 1024 * 1024,
    },
  );
  return worker;
}

/** Longer without a beat and the runs go to another worker. */
export const leaseTtlMs = 10_000;
