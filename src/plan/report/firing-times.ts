import { type UtcText, utcText } from "../../base/index.ts";
import { nextSlot, slotScope } from "../../calendar/index.ts";
import type { ScheduleSpec } from "../../spec/index.ts";

export interface Firing {
  readonly schedule: string;
  readonly utc: UtcText;
  /** `YYYY-MM-DDTHH:mm:ss` in the schedule's zone. */
  readonly local: string;
  readonly zone: string;
}

/** The next `count` slots of all schedules together after an instant, oldest first, ties by schedule name. */
export function nextFirings(schedules: readonly ScheduleSpec[], after: Date, count: number): readonly Firing[] {
  const all = schedules.flatMap((schedule) => {
    const firings: Firing[] = [];
    for (let slot = nextSlot(schedule, after); slot !== null && firings.length < count; slot = nextSlot(schedule, slot))
      firings.push({
        schedule: schedule.name,
        utc: utcText(slot),
        local: slotScope(schedule, slot).local,
        zone: schedule.timezone,
      });
    return firings;
  });
  const key = (firing: Firing): string => `${firing.utc} ${firing.schedule}`;
  return all.sort((a, b) => (key(a) < key(b) ? -1 : 1)).slice(0, count);
}
