import type { UtcText } from "../base/index.ts";

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
