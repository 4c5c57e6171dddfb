import { backoffMs, type Clock, Fault, faultOf, withJitter } from "../../base/index.ts";
import type { Logger } from "../../telemetry/index.ts";
import { abortable } from "./abortable.ts";

export interface LastingCallDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const backoff = { firstMs: 200, factor: 2, maxMs: 10_000 };
/** Unknown errors are worth a few more tries, not a loop for ever. */
const maxUnknown = 6;

/**
 * Repeats a call of the plant while the world is down (disposition `retry`), until `signal` aborts: then it does not
 * wait for an answer either. What the store
 * answers twice is answered `duplicate`, so repeating is safe. Other faults pass through; an unknown error passes after
 * its sixth time.
 */
export async function lastingCall<T>(
  deps: LastingCallDeps,
  call: string,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await abortable(work(), signal);
    } catch (error) {
      const fault = faultOf(error);
      const unknown = fault.code === "INTERNAL";
      if (!isWorthAnother(fault) || (unknown && attempt >= maxUnknown)) throw error;
      const waitMs = withJitter(backoffMs(attempt, backoff), deps.random);
      if (unknown) deps.log.error({ call, attempt, error }, "unknown error, trying again");
      else deps.log.warn({ call, attempt, code: fault.code, waitMs }, "the plant does not answer, trying again");
      await deps.clock.sleep(waitMs, signal);
    }
  }
}

const isWorthAnother = (fault: Fault): boolean => fault.disposition === "retry" || fault.disposition === "reobserve";
