import { type ScheduledTask, schedule } from "node-cron";
import { faultOf, type Service, TaskGroup } from "../base/index.ts";
import type { ClockGuard } from "./clock-guard.ts";
import type { Plant } from "./plant.ts";
import { leaseTtlMs } from "./worker-wire.ts";

/** The work that no event asks for: what there is to do is read from the store. */
export interface HousekeepingHooks {
  readonly wakeScheduler: () => void;
  readonly wakeWorker: () => void;
}

const rescueMs = 2000;
const clockLookMs = 10_000;
const sweepMs = 30_000;
const noticedStepMs = 1000;

/**
 * What must go on whatever the wall clock does hangs on sleeps. node-cron waits for instants: behind a clock that was
 * set back it waits until it is there again, and after one that leapt it walks every second in between.
 */
export function createHousekeeping(plant: Plant, guard: ClockGuard, hooks: HousekeepingHooks): Service {
  const tasks = new TaskGroup((task, error) => plant.log.error({ task, error }, "housekeeping ended"));
  const every = (ms: number, name: string, work: () => Promise<void>): void => {
    const turn = once(plant, name, work);
    tasks.run(name, async (signal) => {
      for (;;) {
        await plant.clock.sleep(ms, signal);
        await turn();
      }
    });
  };
  let nightly: ScheduledTask | null = null;
  const armNightly = async (): Promise<void> => {
    await nightly?.destroy();
    const work = once(plant, "nightly", async () => {
      await plant.database.makePartitions(plant.clock.now());
      // A clock that leapt ahead would call everything old.
      if (!guard.isSuspect()) await sweepHistory(plant);
    });
    nightly = schedule("17 3 * * *", work, { logger: silent });
  };
  const offsetMs = (): number => plant.clock.now().getTime() - plant.clock.monotonicMs();
  let knownMs = offsetMs();
  const look = async (): Promise<void> => {
    const movedMs = offsetMs() - knownMs;
    knownMs += movedMs;
    if (Math.abs(movedMs) > noticedStepMs) await armNightly();
    await guard.watch();
  };
  return {
    name: "housekeeping",
    start: async () => {
      await guard.watch();
      await armNightly();
      every(rescueMs, "rescue", async () => {
        const rescued = await plant.store.queue.rescue(leaseTtlMs);
        if (rescued > 0) plant.log.warn({ runs: rescued }, "runs of a dead worker go back to the queue");
        if (rescued > 0) hooks.wakeWorker();
      });
      every(clockLookMs, "clock", look);
      every(sweepMs, "sweep", async () => {
        if ((await plant.store.queue.sweep()) > 0) hooks.wakeWorker();
        hooks.wakeScheduler();
      });
    },
    stop: async () => {
      await tasks.stop();
      await nightly?.destroy();
    },
  };
}

const day = 24 * 3_600_000;

async function sweepHistory({ store, clock, log }: Plant): Promise<void> {
  const monthAgo = new Date(clock.now().getTime() - 30 * day);
  const bounds = { runsSince: monthAgo, batchesBefore: monthAgo, batchesKept: 100, eventsKept: 10_000 };
  const swept = await store.queue.sweepHistory(bounds);
  if (swept.blobs + swept.batches + swept.events > 0)
    log.info({ ...swept }, "rows that nobody may ask for any more are gone");
}

/** node-cron's own words would stand between the lines of the terminal. */
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

/** Never rejects, and never twice at a time: a slow database must not pile up looks. */
function once(plant: Pick<Plant, "log">, name: string, work: () => Promise<void>): () => Promise<void> {
  let running = false;
  return async () => {
    if (running) return;
    running = true;
    try {
      await work();
    } catch (error) {
      plant.log.warn(
        { task: name, code: faultOf(error).code, error },
        "housekeeping failed, the next turn tries again",
      );
    } finally {
      running = false;
    }
  };
}
