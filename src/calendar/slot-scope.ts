import { type UtcText, utcText } from "../base/index.ts";
import { previousSlot, type Timed } from "./slots.ts";

/** `slot` in expressions of a schedule's inputs. */
export interface SlotScope {
  readonly utc: UtcText;
  /** `YYYY-MM-DDTHH:mm:ss` in the schedule's zone. */
  readonly local: string;
  /** `YYYY-MM-DD` in the schedule's zone. */
  readonly date: string;
  /** The slot before; null where there is none. */
  readonly previous: UtcText | null;
}

export function slotScope(schedule: Timed, slot: Date): SlotScope {
  const local = localTime(slot, schedule.timezone);
  const previous = previousSlot(schedule, slot);
  return {
    utc: utcText(slot),
    local,
    date: local.slice(0, 10),
    previous: previous === null ? null : utcText(previous),
  };
}

// Locale, calendar and digits are named: none of them may come from the process.
function localTime(instant: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const field = (name: string, width: number): string => (part[name] ?? "").padStart(width, "0");
  const date = `${field("year", 4)}-${field("month", 2)}-${field("day", 2)}`;
  return `${date}T${field("hour", 2)}:${field("minute", 2)}:${field("second", 2)}`;
}
