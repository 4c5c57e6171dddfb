import { readFileSync } from "node:fs";

/**
 * The longest that the event loop was kept by one turn while `work` ran, ms. Where the system tells, it is the processor
 * time of the main thread: a busy machine that runs others meanwhile is not our turn. Call it in a process of its own.
 */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = spentMs();
  let turning = true;
  const turn = (): void => {
    const now = spentMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (turning) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  turning = false;
  return longest;
}

const schedstat = `/proc/self/task/${String(process.pid)}/schedstat`;

/** Nanoseconds on a processor are its first number (proc(5)). */
function spentMs(): number {
  try {
    return Number(readFileSync(schedstat, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}
