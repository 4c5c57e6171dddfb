import { backoffMs, type Clock, Fault } from "../base/index.ts";
import { lendsSecrets } from "../sandbox/index.ts";
import { decodeSnapshot } from "../spec/index.ts";
import type { Logger } from "../telemetry/index.ts";
import { createWorker, type Worker, type WorkerEvent } from "../worker/index.ts";
import type { Plant } from "./plant.ts";

const restart = { firstMs: 1000, factor: 2, maxMs: 30_000 };

/** The worker on this plant. One that was fenced is registered again until that works, as a supervisor would. */
export function wireWorker(plant: Plant, emit: (event: WorkerEvent) => void): Worker {
  const { store, clock, log } = plant;
  const readBlob = async (tenant: string, sha256: string): Promise<Uint8Array | null> =>
    store.revision.readBlob(tenant, sha256);
  const again = createRestart(() => worker.start(), { clock, log });
  const worker: Worker = createWorker(
    {
      queue: store.queue,
      createSeam: (registered) => store.createWorkerSeam(registered),
      readSnapshot: async (tenant, sha256) => {
        const bytes = await readBlob(tenant, sha256);
        if (bytes === null) throw new Fault("INTERNAL", "a run's snapshot is not in the store");
        return decodeSnapshot(Buffer.from(bytes).toString("utf8"));
      },
      readBlob,
      currentGrants: (tenant, known) => store.revision.currentGrants(tenant, known),
      approvalsOf: (tenant, commits) => store.revision.approvalsOf(tenant, commits),
      secrets: {
        levelFits: lendsSecrets(plant.hosts.level),
        find: plant.secrets.sources.find,
        lend: plant.secrets.lent.lend,
      },
      hosts: plant.hosts,
      compute: plant.compute,
      artifacts: plant.artifacts,
      clock,
      random: Math.random,
      log,
      emit,
      failed: (fault) => {
        log.error({ code: fault.code, error: fault }, "the worker lost its lease, registering again");
        again.begin();
      },
    },
    workerOptions(plant),
  );
  return {
    name: worker.name,
    start: () => worker.start(),
    stop: async () => {
      again.end();
      await worker.stop();
    },
    wake: () => worker.wake(),
  };
}

interface Restart {
  begin(): void;
  end(): void;
}

/** Starts something again with backoff until it works; ended by the stop of its owner, for good or until it begins again. */
function createRestart(
  start: () => Promise<void>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Restart {
  let life: AbortController | null = null;
  const loop = async (signal: AbortSignal): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      await clock.sleep(backoffMs(attempt, restart), signal);
      try {
        await start();
        return;
      } catch (error) {
        log.error({ error, attempt }, "the worker could not register again, trying again");
      }
    }
  };
  return {
    begin: () => {
      life ??= new AbortController();
      // Rejects only when it is ended.
      loop(life.signal).catch(() => undefined);
    },
    end: () => {
      life?.abort(new Error("stopped"));
      life = null;
    },
  };
}

/** Longer without a beat and the runs go to another worker. */
export const leaseTtlMs = 10_000;

function workerOptions(plant: Plant): Parameters<typeof createWorker>[1] {
  return {
    name: `${plant.config.site}/${process.pid}`,
    site: plant.config.site,
    runtime: plant.runtime,
    maxRuns: 64,
    heartbeatMs: 2000,
    leaseTtlMs,
    stopGraceMs: 5000,
    logBytes: 1024 * 1024,
    artifactBytes: 256 * 1024 * 1024,
    blobCacheBytes: 64 * 1024 * 1024,
  };
}
