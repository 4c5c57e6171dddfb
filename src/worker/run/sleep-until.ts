import type { Clock } from "../../base/index.ts";

// Node's timers overflow after 24.8 days and fire at once; in short pieces a moved wall clock is noticed too.
const pieceMs = 60_000;

/** Resolves at or after an instant of the wall clock. */
export async function sleepUntil(clock: Clock, untilMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = untilMs - clock.now().getTime(); leftMs > 0; leftMs = untilMs - clock.now().getTime()) {
    await clock.sleep(Math.min(leftMs, pieceMs), signal);
  }
}
