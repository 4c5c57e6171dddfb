import { expect, it } from "vitest";
import { Gate } from "../../../src/base/index.ts";
import { createScheduler } from "../../../src/scheduler/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

it("rests while the clock is suspect, though a slot is long due: it must not ask the store in a loop", async () => {
  const clock = new FakeClock("2026-11-24T12:00:00.000Z");
  const asked: string[] = [];
  const admission = {
    dueSchedules: () => Promise.resolve(asked.push("due") > 0 ? [] : []),
    nextDue: () => {
      asked.push("next");
      return Promise.resolve(new Date("2026-11-24T11:00:00.000Z"));
    },
    admit: () => Promise.resolve([]),
    cancel: () => Promise.resolve({ kind: "unknown" as const }),
  };
  const deps = {
    ...{ admission, clock, log: silentLog, gate: new Gate(), holdsSlots: () => true },
    compute: { evaluate: () => Promise.reject(new Error("nothing is evaluated")) },
    randomBytes: (count: number) => new Uint8Array(count),
    wakeWorker: () => undefined,
    onRefused: () => undefined,
  };
  const runtime = { orrery: "0.1.0", node: "v20.20.2", tzdata: "2025b", level: "confined" as const };
  const scheduler = createScheduler(deps, { site: "hq", runtime });

  await scheduler.start();
  await clock.advance(10_000);
  await scheduler.stop();

  expect(asked).toEqual([]);
});
