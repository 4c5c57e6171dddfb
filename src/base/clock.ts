/** Time as an argument: rooms that wait or stamp take a Clock, tests give a fake one. */
export interface Clock {
  /** Wall clock, UTC. */
  now(): Date;
  /** Milliseconds that never go back; only differences mean something. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(reasonOf(signal));
      };
      const cancel = callLater(ms, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      signal.addEventListener("abort", onAbort, { once: true });
    }),
};

/** What a timer of Node can wait, about 24 days: a longer one fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Calls once in `ms`, however long that is; the answer cancels it. */
export function callLater(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    timer = setTimeout(() => (leftMs > maxTimerMs ? arm(leftMs - maxTimerMs) : call()), Math.min(leftMs, maxTimerMs));
  };
  arm(ms);
  return () => clearTimeout(timer);
}

/** `YYYY-MM-DDTHH:mm:ss.SSSZ` (DESIGN law 4). */
export type UtcText = string;

export const utcText = (instant: Date): UtcText => instant.toISOString();

/** The signal's reason as an Error. */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted");
}
