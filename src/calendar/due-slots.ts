import { type UtcText, utcText } from "../base/index.ts";
import type { ScheduleSpec } from "../spec/index.ts";
import { nextSlot, slotsBetween, type Timed } from "./slots.ts";

/** A slot this late still starts, whatever catchUp says: it was not missed, the tick was busy. */
const lateGraceMs = 60_000;

/** Slots looked at in one go: about 20 ms of work. */
const slotsPerLook = 256;

/** A range of slots that start nothing because they came too late. */
export interface LateRange {
  readonly reason: "late";
  readonly from: UtcText;
  readonly to: UtcText;
  readonly count: number;
}

/** One move of the watermark, in the shape of the store's SlotClaim. */
export interface SlotMove {
  readonly from: Date;
  /** The slot that is claimed. */
  readonly to: Date;
  /** First slot after `to`, null = never again. */
  readonly nextDue: Date | null;
  /** The late slots in (from, to), and `to` itself where `runs` is false. */
  readonly skips: readonly LateRange[];
  readonly runs: boolean;
}

export interface DueSlots {
  /** In order; each starts at the `to` of the one before. Empty = nothing is due. */
  readonly moves: readonly SlotMove[];
  /** The slots that start a run: those of `moves` with `runs`. */
  readonly runs: readonly Date[];
  readonly skips: readonly LateRange[];
  /** More slots are due than were looked at in one go: ask again from the last `to`. */
  readonly more: boolean;
}

/**
 * What is due in (watermark, now]. A slot up to one minute late starts. Of the older ones: catchUp `none` starts none,
 * `latest` the newest where nothing newer starts, `all` each; with maxAge never one that is older than that. The rest is
 * skipped as `late`. A watermark beyond now gives nothing.
 */
export function dueSlots(
  schedule: Timed & Pick<ScheduleSpec, "catchUp">,
  at: { readonly watermark: Date; readonly now: Date },
  limit = slotsPerLook,
): DueSlots {
  const { slots, truncated } = slotsBetween(schedule, at.watermark, at.now, limit);
  const starts = startsOf(slots, { ...schedule.catchUp, now: at.now, truncated });
  const moves: SlotMove[] = [];
  let from = at.watermark;
  let late: Date[] = [];
  for (const [i, to] of slots.entries()) {
    const runs = starts(to, i);
    if (!runs) late.push(to);
    if (!runs && i < slots.length - 1) continue;
    const nextDue = slots[i + 1] ?? nextSlot(schedule, to);
    moves.push({ from, to, nextDue, skips: rangesOf(late), runs });
    from = to;
    late = [];
  }
  return {
    moves,
    runs: moves.filter((move) => move.runs).map((move) => move.to),
    skips: moves.flatMap((move) => move.skips),
    more: truncated,
  };
}

interface CatchUp {
  readonly policy: "none" | "latest" | "all";
  readonly maxAgeMs: number | null;
  readonly now: Date;
  readonly truncated: boolean;
}

function startsOf(slots: readonly Date[], { policy, maxAgeMs, now, truncated }: CatchUp) {
  return (slot: Date, i: number): boolean => {
    const lateMs = now.getTime() - slot.getTime();
    if (lateMs <= lateGraceMs) return true;
    if (policy === "none" || (maxAgeMs !== null && lateMs > maxAgeMs)) return false;
    return policy === "all" || (i === slots.length - 1 && !truncated);
  };
}

function rangesOf(late: readonly Date[]): readonly LateRange[] {
  const [first, last] = [late[0], late.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [{ reason: "late", from: utcText(first), to: utcText(last), count: late.length }];
}
