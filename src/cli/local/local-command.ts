import { type ExitCode, exitCodes } from "../../base/index.ts";
import { createCompute } from "../../compute/index.ts";
import type { OutputFormat } from "../place/target.ts";
import { interactiveStops, untilStopped } from "../stop-signal.ts";
import type { Terminal } from "../terminal.ts";
import { openLocalPlant } from "./local-plant.ts";
import type { StartOptions } from "./local-start.ts";
import { allowsWeak } from "./weak-level.ts";

export interface LocalOptions extends StartOptions {
  readonly repo?: string;
  readonly tenant?: string;
  /** Whose secret files and age key are used; none by itself where there is no installation. */
  readonly data?: string;
  readonly rationale: string | null;
  readonly allowWeak: boolean;
  readonly keep: boolean;
  readonly output: OutputFormat;
}

/**
 * `orrery run --local`: one DAG of a work tree, in the real sandbox, without daemon or database. Exit 0 it succeeded, 1 it
 * did not or would be held, 3 a daemon would not start it, for something is not granted.
 */
export async function runLocalCommand(argument: string, options: LocalOptions, terminal: Terminal): Promise<ExitCode> {
  const allowWeak = allowsWeak(options.allowWeak);
  using stop = untilStopped(interactiveStops);
  const compute = createCompute({ threads: 1 });
  // What is asked of it meanwhile waits there; what goes wrong with it is heard by the first who asks.
  compute.start().catch(() => undefined);
  const plant = openLocalPlant({
    compute,
    allowWeak,
    keepStore: options.keep,
    warn: (message) => terminal.note(message),
  });
  // Heard where it is awaited.
  plant.catch(() => undefined);
  try {
    // While sandbox and thread start, which takes as long: a turn of a developer's must stay short.
    const { playDag } = await loadSession();
    return await playDag({ argument, options, terminal, compute, plant }, stop.signal);
  } catch (error) {
    if (error !== stop.signal.reason) throw error;
    terminal.note("stopped before anything ran");
    return exitCodes.findings;
  } finally {
    await (await plant.catch(() => null))?.[Symbol.asyncDispose]();
    await compute.stop();
  }
}

// Apart: within a function that has a `using`, tsc leaves `.ts` as it stands.
const loadSession = (): Promise<typeof import("./local-session.ts")> => import("./local-session.ts");
