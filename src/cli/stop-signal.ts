/** Ctrl-C and `systemctl stop`: aborts once; the second time the process ends at once. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
  /** Resolves when the first one came. */
  readonly stopped: Promise<void>;
}

const asked: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

/** Of a command that leaves things behind if it does not clean up: also a terminal that is closed asks it to stop. */
export const interactiveStops: readonly NodeJS.Signals[] = [...asked, "SIGHUP"];

export function untilStopped(signals = asked): StopSignal {
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
