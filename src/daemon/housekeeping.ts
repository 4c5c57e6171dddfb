import { type ScheduledTask, schedule } from "node-cron";
import { faultOf, type Service } from "../base/index.ts";
import type { Plant } from "./plant.ts";
import { leaseTtlMs } from "./worker-wire.ts";

/** The work that no event asks for. node-cron only says "look now": what there is to do is read from the store. */
export interface HousekeepingHooks {
  readonly wakeScheduler: () => void;
  readonly wakeWorker: () => void;
}

const maxSkewMs = 5000;
const maxJumpMs = 600_000;

export function createHousekeeping(plant: Plant, hooks: HousekeepingHooks): Service {
  const tasks: ScheduledTask[] = [];
  const watch = createClockWatch(plant);
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
      await watch();
      every("*/2 * * * * *", "rescue", async () => {
        const rescued = await plant.store.queue.rescue(leaseTtlMs);
        if (rescued > 0) plant.log.warn({ runs: rescued }, "runs of a dead worker go back to the queue");
        if (rescued > 0) hooks.wakeWorker();
      });
      every("*/10 * * * * *", "clock", watch);
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

/** Closes admission of slots and sealing while the daemon's clock differs from PostgreSQL's or has jumped. */
function createClockWatch({ clock, database, gate, log }: Plant): () => Promise<void> {
  let last: { readonly wallMs: number; readonly monotonicMs: number } | null = null;
  return async () => {
    const now = { wallMs: clock.now().getTime(), monotonicMs: clock.monotonicMs() };
    const jumpMs = last === null ? 0 : now.wallMs - last.wallMs - (now.monotonicMs - last.monotonicMs);
    const skewMs = await database.clockSkewMs(() => clock.now());
    last = now;
    const isWrong = Math.abs(skewMs) > maxSkewMs || Math.abs(jumpMs) > maxJumpMs;
    if (!isWrong) {
      gate.open(clockReason);
      return;
    }
    gate.close(
      clockReason,
      `this clock is ${Math.round(skewMs)} ms behind PostgreSQL's and jumped by ${Math.round(jumpMs)} ms`,
    );
    log.error(
      { skewMs: Math.round(skewMs), jumpMs: Math.round(jumpMs) },
      "the clock is suspect: no slot is admitted, nothing is sealed",
    );
  };
}

export const clockReason = "ClockSuspect";
