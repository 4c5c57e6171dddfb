import { readFileSync } from "node:fs";

/**
 * The longest that the event loop was kept by one turn while `work` ran, ms. Where the system tells, it is the processor
 * time of the main thread: a busy machine that runs others meanwhile is not our turn. Call it in a process of its own.
 */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  const turns = await turnsOf(work);
  return Math.max(0, ...turns);
}

/** The part of all that `work` did which stood in its longest turn, from 0 to 1: near 1 where it never pauses. */
export async function longestTurnShare(work: () => Promise<unknown>): Promise<number> {
  const turns = await turnsOf(work);
  return Math.max(0, ...turns) / turns.reduce((sum, ms) => sum + ms, 0);
}

/** A turn in which nothing was to do is shorter. */
const idleMs = 0.5;

/** Each turn of the loop in which something was done, ms. */
async function turnsOf(work: () => Promise<unknown>): Promise<readonly number[]> {
  const turns: number[] = [];
  let last = spentMs();
  let turning = true;
  const turn = (): void => {
    const now = spentMs();
    if (now - last > idleMs) turns.push(now - last);
    last = now;
    if (turning) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  turning = false;
  return turns;
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
