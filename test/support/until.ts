import { setTimeout as wait } from "node:timers/promises";

/** Resolves once `condition` holds; for states of the machine that send no signal (a process that is gone). */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${String(withinMs)} ms`);
    await wait(10);
  }
}
