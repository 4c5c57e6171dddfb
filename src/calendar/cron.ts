import { Cron } from "croner";

/**
 * croner, and nothing else of this house knows it. Five fields; a schedule without `*`, `?` or step in minute and hour
 * is a fixed-time one (each local time once, moved to the end of a gap), any other fires at each real instant.
 */
export interface CronSlots {
  /** The first slot after the instant, or null. */
  next(after: Date): Date | null;
  /** The last slot before the instant, or null. */
  previous(before: Date): Date | null;
  /** Whether there is a slot at all. */
  fires(): boolean;
  /** The five fields, nicknames such as `@daily` written out. */
  readonly fields: readonly string[];
}

const opened = new Map<string, CronSlots>();
const zones = new Map<string, boolean>();
const maxKept = 2000;

/** Throws TypeError for a pattern or zone that it does not know. Kept: opening one costs more than most questions to it. */
export function openCron(pattern: string, timezone: string): CronSlots {
  const key = `${timezone} ${pattern}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  const slots = openAnew(pattern, timezone);
  if (opened.size >= maxKept) opened.clear();
  opened.set(key, slots);
  return slots;
}

function openAnew(pattern: string, timezone: string): CronSlots {
  // Without a zone of its own croner takes the process's, and with a wrong one it throws only at the first slot.
  if (!isZone(timezone)) throw new TypeError(`unknown time zone ${JSON.stringify(timezone)}`);
  const cron = new Cron(pattern, { mode: "5-part", fixedTimeRule: "no-wildcard", paused: true, timezone });
  let fires: boolean | null = null;
  return {
    // Asked at each pass of each schedule; a pattern that never fires is followed for years until croner gives up.
    fires: () => (fires ??= cron.nextRun(new Date(Date.UTC(2000, 0, 1))) !== null),
    next: (after) => cron.nextRun(after),
    previous: (before) => cron.previousRuns(1, before)[0] ?? null,
    fields: (cron.getPattern() ?? pattern).trim().split(/\s+/),
  };
}

/** IANA names only: an offset such as `+02:00` is no zone with rules. */
export function isZone(timezone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(timezone)) return false;
  const known = zones.get(timezone);
  if (known !== undefined) return known;
  const is = intlKnows(timezone);
  if (zones.size >= maxKept) zones.clear();
  zones.set(timezone, is);
  return is;
}

function intlKnows(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: timezone });
    return true;
  } catch {
    return false;
  }
}
