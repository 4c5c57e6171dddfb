/** Ctrl-C and `systemctl stop`: aborts once; the second time the process ends at once. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
  /** Resolves when the first one came. */
  readonly stopped: Promise<void>;
}

const signals = ["SIGINT", "SIGTERM"] as const;

export function untilStopped(): StopSignal {
  const abort = new AbortController();
  let resolve: () => void = () => undefined;
  const stopped = new Promise<void>((done) => {
    resolve = done;
  });
  const onSignal = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new Error("stopped"));
    resolve();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: abort.signal,
    stopped,
    [Symbol.dispose]: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
