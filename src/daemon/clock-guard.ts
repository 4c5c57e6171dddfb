import { type Clock, type Gate, utcText } from "../base/index.ts";
import type { Database } from "../database/index.ts";
import type { Logger } from "../telemetry/index.ts";

export const clockReason = "ClockSuspect";

const maxSkewMs = 5000;
const maxJumpMs = 600_000;

export interface ClockGuardDeps {
  readonly clock: Clock;
  readonly database: Pick<Database, "clockSkewMs">;
  readonly gate: Gate;
  readonly log: Pick<Logger, "error">;
}

export interface ClockGuard {
  /** Asked before each look at the clock that lasts: one glance at a wrong year would move watermarks and the chain there. */
  isSuspect(): boolean;
  /** Compares with PostgreSQL's clock; opens the gate again when everything is right. Rejects while the database is away. */
  watch(): Promise<void>;
}

/**
 * Closes admission and sealing while the daemon's clock differs from PostgreSQL's by more than 5 s, or has moved by more
 * than 10 min against the monotonic clock: until it is right again, or the daemon is started anew.
 */
export function createClockGuard({ clock, database, gate, log }: ClockGuardDeps): ClockGuard {
  const offsetMs = (): number => clock.now().getTime() - clock.monotonicMs();
  let trustedMs = offsetMs();
  let skewMs = 0;
  const jumpMs = (): number => offsetMs() - trustedMs;
  const isWrong = (): boolean => Math.abs(skewMs) > maxSkewMs || Math.abs(jumpMs()) > maxJumpMs;
  const close = (): void => {
    const wasOpen = gate.reasons.every(({ reason }) => reason !== clockReason);
    const facts = { skewMs: Math.round(skewMs), jumpMs: Math.round(jumpMs()) };
    gate.close(clockReason, sentence(facts, clock.now()));
    if (wasOpen) log.error(facts, "the clock is suspect: no slot is admitted, nothing is sealed");
  };
  return {
    isSuspect: () => {
      if (isWrong()) close();
      return gate.reasons.some(({ reason }) => reason === clockReason);
    },
    watch: async () => {
      skewMs = await database.clockSkewMs(() => clock.now());
      if (isWrong()) {
        close();
        return;
      }
      // Follows what NTP slews; never a jump, or the second look would take the first one's finding for right.
      trustedMs = offsetMs();
      gate.open(clockReason);
    },
  };
}

function sentence({ skewMs, jumpMs }: { readonly skewMs: number; readonly jumpMs: number }, now: Date): string {
  const skew = `this clock is ${Math.abs(skewMs)} ms ${skewMs < 0 ? "ahead of" : "behind"} PostgreSQL's`;
  const jump = `this clock jumped by ${jumpMs} ms to ${utcText(now)}`;
  const what = Math.abs(jumpMs) > maxJumpMs ? jump : skew;
  return `${what}: set it right, or restart the daemon where it is right now`;
}
