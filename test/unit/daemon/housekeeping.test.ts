import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import { createHousekeeping } from "../../../src/daemon/housekeeping.ts";
import type { Plant } from "../../../src/daemon/plant.ts";
import { silentLog } from "../../support/silent-log.ts";

beforeEach(() => {
  vi.useFakeTimers({
    now: Date.parse("2026-11-24T12:00:00.000Z"),
    toFake: ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

it("goes on after a clock that was years ahead is set right: dead workers are still found, the clock still looked at", async () => {
  const calls = { rescue: 0, watch: 0 };
  const plant = {
    clock: systemClock,
    log: silentLog,
    store: { queue: { rescue: () => Promise.resolve(calls.rescue++ * 0), sweep: () => Promise.resolve(0) } },
    database: { makePartitions: () => Promise.resolve() },
  } as unknown as Plant;
  const guard = {
    isSuspect: () => false,
    watch: () => {
      calls.watch++;
      return Promise.resolve();
    },
  };
  const hooks = { wakeScheduler: () => undefined, wakeWorker: () => undefined };
  const housekeeping = createHousekeeping(plant, guard, hooks);
  await housekeeping.start();
  await vi.advanceTimersByTimeAsync(5_000);
  vi.setSystemTime(Date.parse("2031-11-24T12:00:05.000Z"));
  await vi.advanceTimersByTimeAsync(30_000);

  vi.setSystemTime(Date.parse("2026-11-24T12:00:35.000Z"));
  await vi.advanceTimersByTimeAsync(15_000);
  const before = { ...calls };
  await vi.advanceTimersByTimeAsync(60_000);
  await housekeeping.stop();

  expect(calls.rescue - before.rescue).toBeGreaterThanOrEqual(28);
  expect(calls.watch - before.watch).toBe(6);
});
