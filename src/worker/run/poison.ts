import type { ClaimedRun } from "../../store/index.ts";

/** More than a step that ends its daemon each time comes to before it fails as lost (src/dag). */
const maxRescues = 10;
/** To read what is stored is harmless, but for a run that ends the daemon by that. */
const maxReadings = 2;

/** Whatever the run still wants to start is refused: what kills is no longer a matter of one step. */
export const isPoisoned = ({ rescues }: ClaimedRun): boolean => rescues >= maxRescues;

/** Not even read any more: settled without its steps. */
export const isUntouchable = ({ rescues }: ClaimedRun): boolean => rescues >= maxRescues + maxReadings;
