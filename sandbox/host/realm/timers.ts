type Callback = (...args: unknown[]) => unknown;

interface Timer {
  readonly call: Callback;
  readonly args: readonly unknown[];
  readonly everyMs: number | null;
}

export interface Timers {
  readonly globals: Record<string, unknown>;
  readonly fire: (id: number) => void;
}

/** Tracked timers: the host keeps the clock and drops all when the step ends, so that none fires into the next step. */
export function timersOf(arm: (id: number, ms: number) => void, onThrow: (thrown: unknown) => void): Timers {
  const live = new Map<number, Timer>();
  let last = 0;
  const set = (call: unknown, ms: unknown, args: readonly unknown[], repeat: boolean): number => {
    if (typeof call !== "function") throw new TypeError("the callback is not a function");
    if (live.size >= 10_000) throw new RangeError("more than 10000 timers");
    const waitMs = Math.min(2 ** 31 - 1, Math.max(1, Number(ms) || 1));
    const id = ++last;
    live.set(id, { call: call as Callback, args, everyMs: repeat ? waitMs : null });
    arm(id, waitMs);
    return id;
  };
  const clear = (id: unknown): void => void live.delete(Number(id));
  return {
    globals: {
      setTimeout: (call: unknown, ms?: unknown, ...args: unknown[]) => set(call, ms, args, false),
      setInterval: (call: unknown, ms?: unknown, ...args: unknown[]) => set(call, ms, args, true),
      setImmediate: (call: unknown, ...args: unknown[]) => set(call, 1, args, false),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
      queueMicrotask: (call: Callback) => {
        Promise.resolve()
          .then(() => call())
          .catch(onThrow);
      },
    },
    fire: (id) => {
      const timer = live.get(id);
      if (timer === undefined) return;
      if (timer.everyMs === null) live.delete(id);
      else arm(id, timer.everyMs);
      try {
        timer.call(...timer.args);
      } catch (thrown) {
        onThrow(thrown);
      }
    },
  };
}
