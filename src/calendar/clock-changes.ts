import { openCron } from "./cron.ts";
import type { Timed } from "./slots.ts";
import { offsetReader } from "./zone-offset.ts";

/** A change of a zone's clock that a schedule meets. Local texts are `HH:mm`. */
export interface ClockChange {
  /** `gap`: local times that do not exist. `overlap`: local times that come twice. */
  readonly kind: "gap" | "overlap";
  /** Local date of the change, `YYYY-MM-DD`. */
  readonly date: string;
  /** The schedule's first local time within it. */
  readonly at: string;
  readonly from: string;
  readonly until: string;
  /** What the calendar does there: the instant of the slot as local time, or null where none starts. */
  readonly runsAt: string | null;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * The first gap and the first overlap within (from, until] that touch a schedule, oldest first. `every` and schedules of
 * every hour follow real time, so nothing happens to them. Throws as `openCron` does.
 */
export function clockChanges({ timing, timezone }: Timed, from: Date, until: Date): readonly ClockChange[] {
  if (timing.kind === "every") return [];
  const [, hour = "*"] = openCron(timing.cron, timezone).fields;
  if (hour === "*") return [];
  const found: ClockChange[] = [];
  for (const change of transitionsOf(timezone, from, until)) {
    const kind = change.after > change.before ? "gap" : "overlap";
    if (found.some((known) => known.kind === kind)) continue;
    const met = isElsewhere(hour, change) ? null : meet(timing.cron, timezone, change);
    if (met !== null) found.push(met);
  }
  return found;
}

interface Transition {
  /** ms of the first instant with the new offset. */
  readonly atMs: number;
  /** Offsets in ms. */
  readonly before: number;
  readonly after: number;
}

/** Plain hours, and none of them within the change: croner need not be asked. */
function isElsewhere(hour: string, { atMs, before, after }: Transition): boolean {
  if (!/^\d+(,\d+)*$/.test(hour)) return false;
  const [startMs, endMs] = [atMs + Math.min(before, after), atMs + Math.max(before, after)];
  const hours = new Set(hour.split(",").map(Number));
  for (let ms = Math.floor(startMs / hourMs) * hourMs; ms < endMs; ms += hourMs)
    if (hours.has(new Date(ms).getUTCHours())) return false;
  return true;
}

function meet(pattern: string, timezone: string, { atMs, before, after }: Transition): ClockChange | null {
  // Local times as if they were UTC.
  const [startMs, endMs] = [atMs + Math.min(before, after), atMs + Math.max(before, after)];
  const local = openCron(pattern, "UTC").next(new Date(startMs - 1));
  if (local === null || local.getTime() >= endMs) return null;
  const kind = after > before ? "gap" : "overlap";
  const next = openCron(pattern, timezone).next(new Date(kind === "gap" ? atMs - 1 : local.getTime() - before - 1));
  const nextLocalMs = next === null ? null : next.getTime() + (next.getTime() < atMs ? before : after);
  const isNear = next !== null && nextLocalMs !== null && next.getTime() - atMs < Math.abs(after - before);
  return {
    ...{ kind, date: iso(startMs).slice(0, 10), at: clock(local.getTime()) },
    ...{ from: clock(startMs), until: clock(endMs), runsAt: isNear ? clock(nextLocalMs) : null },
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const clock = (ms: number): string => iso(ms).slice(11, 16);

const known = new Map<string, readonly Transition[]>();
const maxKept = 500;

function transitionsOf(timezone: string, from: Date, until: Date): readonly Transition[] {
  const key = `${timezone} ${String(from.getTime())} ${String(until.getTime())}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const transitions = findTransitions(offsetReader(timezone), from.getTime(), until.getTime());
  if (known.size >= maxKept) known.clear();
  known.set(key, transitions);
  return transitions;
}

/** Two changes of one zone within a week would be missed; there are none. */
function findTransitions(offsetAt: (ms: number) => number, fromMs: number, untilMs: number): readonly Transition[] {
  const found: Transition[] = [];
  let before = offsetAt(fromMs);
  for (let startMs = fromMs; startMs < untilMs; startMs += 7 * dayMs) {
    const endMs = Math.min(untilMs, startMs + 7 * dayMs);
    const after = offsetAt(endMs);
    if (after === before) continue;
    let [low, high] = [startMs, endMs];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    found.push({ atMs: Math.floor(high / 1000) * 1000, before, after });
    before = after;
  }
  return found;
}
