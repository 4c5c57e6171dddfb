import { openCron } from "./cron.ts";
import type { Timed } from "./slots.ts";
import { offsetReader } from "./zone-offset.ts";

/** What a change of the zone's clock means for one slot. Local times are `HH:mm`. */
export type SlotMark =
  /** The local time that the schedule names does not exist that day: the slot is the first instant after the gap. */
  | { readonly kind: "gap"; readonly named: string }
  /** The slot's local time comes twice that day; which of the two this is. */
  | { readonly kind: "overlap"; readonly pass: 1 | 2 };

const dayMs = 86_400_000;

/** The mark of a slot of this schedule; null on all other days. */
export function slotMark({ timing, timezone }: Timed, slot: Date): SlotMark | null {
  const offsetAt = offsetReader(timezone);
  const at = slot.getTime();
  const [before, now, after] = [offsetAt(at - dayMs), offsetAt(at), offsetAt(at + dayMs)];
  if (before > now && offsetAt(at - (before - now)) === before) return { kind: "overlap", pass: 2 };
  if (now > after && offsetAt(at + (now - after)) === after) return { kind: "overlap", pass: 1 };
  if (timing.kind === "every" || before >= now || offsetAt(at - 1) === now || !isFixed(timing.cron, timezone))
    return null;
  const local = at + now;
  const named = openCron(timing.cron, "UTC").next(new Date(local - (now - before) - 1));
  return named === null || named.getTime() >= local ? null : { kind: "gap", named: named.toISOString().slice(11, 16) };
}

/** Any other follows real time: it misses no local time. */
function isFixed(pattern: string, timezone: string): boolean {
  const [minute = "*", hour = "*"] = openCron(pattern, timezone).fields;
  return !/[*?/]/.test(minute + hour);
}
