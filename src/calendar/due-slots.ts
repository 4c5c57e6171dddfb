import type { UtcText } from "../base/index.ts";

/** A run of slots that start nothing because they came too late. */
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
