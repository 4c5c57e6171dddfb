import { openCron } from "./cron.ts";
import type { Timed } from "./slots.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Days that a day pattern is followed for: some years of a usual one, and 29 February often enough. */
const daysLimit = 120;

/**
 * The least distance of two slots in ms from an instant on, by the wall clock: a transition of the zone may bring two
 * slots nearer once a year, and no quota means that. Infinity where there are not two.
 */
export function shortestInterval({ timing }: Timed, from: Date): number {
  if (timing.kind === "every") return timing.everyMs;
  const key = `${String(from.getTime())} ${timing.cron}`;
  const known = intervals.get(key);
  if (known !== undefined) return known;
  const intervalMs = intervalOf(timing.cron, from);
  if (intervals.size >= maxKept) intervals.clear();
  intervals.set(key, intervalMs);
  return intervalMs;
}

/** A pattern is asked about at each pass, and thousands of DAGs share a few. */
const intervals = new Map<string, number>();
const maxKept = 1000;

function intervalOf(pattern: string, from: Date): number {
  const [minute = "*", hour = "*", ...days] = openCron(pattern, "UTC").fields;
  const minutes = unitsOf(`${minute} * * * *`, 60, minuteMs);
  const hours = unitsOf(`0 ${hour} * * *`, 24, 60 * minuteMs);
  const times = hours.flatMap((h) => minutes.map((m) => h * 60 + m));
  const withinDay = leastStep(times) * minuteMs;
  const overnight = dayMs - ((times.at(-1) ?? 0) - (times[0] ?? 0)) * minuteMs;
  // Days that are not neighbours only make it longer.
  if (withinDay <= overnight) return withinDay;
  return Math.min(withinDay, overnight + leastDayGap(`0 0 ${days.join(" ")}`, from) - dayMs);
}

// The values of one field: slots of a pattern that has only this field, within one turn of it.
function unitsOf(pattern: string, count: number, unitMs: number): readonly number[] {
  const cron = openCron(pattern, "UTC");
  const units: number[] = [];
  let slot = cron.next(new Date(-1000));
  while (slot !== null && slot.getTime() < count * unitMs) {
    units.push(slot.getTime() / unitMs);
    slot = cron.next(slot);
  }
  return units;
}

function leastStep(sorted: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < sorted.length; i++) least = Math.min(least, (sorted[i] ?? 0) - (sorted[i - 1] ?? 0));
  return least;
}

function leastDayGap(pattern: string, from: Date): number {
  const cron = openCron(pattern, "UTC");
  let least = Number.POSITIVE_INFINITY;
  let last = cron.next(from);
  for (let i = 0; i < daysLimit && last !== null && least > dayMs; i++) {
    const slot = cron.next(last);
    if (slot !== null) least = Math.min(least, slot.getTime() - last.getTime());
    last = slot;
  }
  return least;
}
