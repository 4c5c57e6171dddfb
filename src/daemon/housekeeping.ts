import { type ScheduledTask, schedule } from "node-cron";
import { faultOf, type Service } from "../base/index.ts";
import type { ClockGuard } from "./clock-guard.ts";
import type { Plant } from "./plant.ts";
import { leaseTtlMs } from "./worker-wire.ts";

/** The work that no event asks for. node-cron only says "look now": what there is to do is read from the store. */
export interface HousekeepingHooks {
  readonly wakeScheduler: () => void;
  readonly wakeWorker: () => void;
}

export function createHousekeeping(plant: Plant, guard: ClockGuard, hooks: HousekeepingHooks): Service {
  const tasks: ScheduledTask[] = [];
  const every = (pattern: string, name: string, work: () => Promise<void> | void): void => {
    let running = false;
    const task = schedule(pattern, async () => {
      // A slow database must not pile up looks.
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
    });
    tasks.push(task);
  };
  return {
    name: "housekeeping",
    start: async () => {
      await guard.watch();
      every("*/2 * * * * *", "rescue", async () => {
        const rescued = await plant.store.queue.rescue(leaseTtlMs);
        if (rescued > 0) plant.log.warn({ runs: rescued }, "runs of a dead worker go back to the queue");
        if (rescued > 0) hooks.wakeWorker();
      });
      every("*/10 * * * * *", "clock", () => guard.watch());
      every("*/30 * * * * *", "sweep", async () => {
        if ((await plant.store.queue.sweep()) > 0) hooks.wakeWorker();
        hooks.wakeScheduler();
      });
      every("17 3 * * *", "partitions", async () => {
        await plant.database.makePartitions(plant.clock.now());
      });
    },
    stop: async () => {
      for (const task of tasks.splice(0)) await task.destroy();
    },
  };
}
