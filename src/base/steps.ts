import { reasonOf } from "./clock.ts";

/** Long work cut into pieces: it yields where it may pause, and returns its result. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** All of it at once, for who has nothing else to do meanwhile. */
export function drained<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A slice is shorter than what a timer or a socket may wait for. */
const sliceMs = 8;

/** The same result, with the event loop served between slices. Rejects with the signal's reason. */
export async function inSlices<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    const until = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < until);
    await breath();
    if (signal.aborted) throw reasonOf(signal);
  }
}

/** One turn of the event loop for the others: a promise that is settled already gives them none. */
export const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
