import type { ScheduleSpec } from "../spec/index.ts";
import { type CronSlots, isZone, openCron } from "./cron.ts";

/** What the calendar reads of a schedule. */
export type Timed = Pick<ScheduleSpec, "timing" | "timezone">;

const eternity = Date.UTC(9999, 11, 31, 23, 59, 59);

/** What is wrong with a schedule, or null: cron text, zone, interval, or that it never fires. */
export function checkSchedule(schedule: Timed): { readonly message: string; readonly field?: "timezone" } | null {
  const { timing, timezone } = schedule;
  if (!isZone(timezone))
    return { message: `no time zone ${JSON.stringify(timezone)} (use an IANA name)`, field: "timezone" };
  if (timing.kind === "every") {
    const whole = Number.isSafeInteger(timing.everyMs) && timing.everyMs >= 1000;
    return whole ? null : { message: "every is at least one second" };
  }
  try {
    const isDead = !openCron(timing.cron, timezone).fires();
    return isDead ? { message: `${JSON.stringify(timing.cron)} never fires` } : null;
  } catch (error) {
    return { message: error instanceof Error ? error.message.replace(/^CronPattern: /, "") : "not a cron pattern" };
  }
}

/** The first slot after an instant, null = never again. `every` is aligned to the epoch. */
export const nextSlot = (schedule: Timed, after: Date): Date | null => sourceOf(schedule).next(after);

/** The last slot before an instant, or null. */
export const previousSlot = (schedule: Timed, before: Date): Date | null => sourceOf(schedule).previous(before);

export interface SlotWindow {
  readonly slots: readonly Date[];
  /** There are more than `max`. */
  readonly truncated: boolean;
}

/** The slots in (after, until], oldest first, at most `max`. */
export function slotsBetween(schedule: Timed, after: Date, until: Date, max: number): SlotWindow {
  const source = sourceOf(schedule);
  const slots: Date[] = [];
  for (let slot = source.next(after); slot !== null && slot <= until; slot = source.next(slot)) {
    if (slots.length === max) return { slots, truncated: true };
    slots.push(slot);
  }
  return { slots, truncated: false };
}

/** Where slots come from, opened once for many questions. */
function sourceOf({ timing, timezone }: Timed): Pick<CronSlots, "next" | "previous"> {
  if (timing.kind === "cron") return openCron(timing.cron, timezone);
  const { everyMs } = timing;
  return {
    next: (after) => instantOrNull((Math.floor(after.getTime() / everyMs) + 1) * everyMs),
    previous: (before) => instantOrNull((Math.ceil(before.getTime() / everyMs) - 1) * everyMs),
  };
}

const instantOrNull = (ms: number): Date | null => (ms >= 0 && ms <= eternity ? new Date(ms) : null);
