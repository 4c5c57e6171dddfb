import type { ScheduleSpec } from "../../../src/spec/index.ts";

type CatchUp = ScheduleSpec["catchUp"];

export const cron = (
  text: string,
  timezone = "UTC",
  catchUp: CatchUp = { policy: "none", maxAgeMs: null },
): ScheduleSpec => ({
  name: "default",
  timing: { kind: "cron", cron: text },
  timezone,
  catchUp,
  inputs: {},
});

export const every = (everyMs: number, catchUp: CatchUp = { policy: "none", maxAgeMs: null }): ScheduleSpec => ({
  ...cron("", "UTC", catchUp),
  timing: { kind: "every", everyMs },
});

export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;
export const iso = (dates: readonly Date[]): string[] => dates.map((d) => d.toISOString().slice(0, 16) + "Z");
