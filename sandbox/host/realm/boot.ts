import type { StepFacts } from "../../control-frame.ts";
import type { Context, DeclaredFile } from "../../sdk.ts";
import { outputText } from "../output-text.ts";
import { stepContext } from "../step-context.ts";
import { describeThrown } from "../step-error.ts";
import { StepLink } from "../step-link.ts";
import type { StepDown, StepError } from "../step-message.ts";
import { chanceOf } from "./chance.ts";
import { clockOf } from "./clock.ts";
import { structuredClone } from "./clone.ts";
import { consoleOf } from "./console.ts";
import { encodingOf } from "./encoding.ts";
import { AbortController, AbortSignal, DOMException, Event, EventTarget } from "./events.ts";
import { type FetchReply, fetchOf } from "./fetch.ts";
import { guarded, type HostCall } from "./host-call.ts";
import { searchParamsClass } from "./search-params.ts";
import { timersOf } from "./timers.ts";
import { urlClass } from "./url.ts";

/** What the host asks for; JSON text from there. */
export interface RealmOptions {
  readonly facts: StepFacts;
  readonly files: readonly DeclaredFile[];
  readonly nondeterministic: boolean;
  readonly outputBytes: number;
}

export type RealmEvent =
  | StepDown
  | { readonly t: "timer"; readonly id: number }
  | ({ readonly t: "fetch" } & FetchReply);

/** The realm's side that the host holds. Everything that goes in or out is text or bytes made in here. */
export interface RealmSide {
  /** The plugin's global stands: run it. `code` is the compiled expression of core.js. */
  start(withText: string, code: unknown): void;
  deliver(eventText: string, bytes: Uint8Array | null): void;
  alloc(length: number): Uint8Array;
  /** A thrown value of this realm as JSON text of a StepError. */
  describe(thrown: unknown): string;
}

type Run = (input: unknown, ctx: Context) => unknown;

// Taken before the plugin runs: what it makes of the globals spoils its own values, not what we say to the host.
const { parse, stringify } = JSON;
const Bytes = Uint8Array;

/** Evaluated first in a fresh context: makes its globals and gives the host its side. */
export function boot(hostCall: HostCall, optionsText: string): RealmSide {
  const host = guarded(hostCall);
  const options = parse(optionsText) as RealmOptions;
  const post = (message: object, bytes: Uint8Array | null): void => {
    host("post", stringify(message), bytes ?? undefined);
  };
  let ended = false;
  const end = (text: string | null, error: StepError | null): void => {
    if (ended) return;
    ended = true;
    post({ t: "end", text, error }, null);
  };
  const fail = (thrown: unknown): void => end(null, describeThrown(thrown));
  const parts = realmParts({ host, options, post, fail });

  return Object.freeze({
    start: (withText: string, code: unknown) => {
      const ctx = typeof code === "function" ? Object.freeze({ ...parts.context, code: code as Run }) : parts.context;
      Promise.resolve()
        .then(() => entry()(parse(withText) as unknown, ctx))
        .then((output) => end(outputText(output, options.outputBytes), null))
        .catch(fail);
    },
    deliver: (eventText: string, bytes: Uint8Array | null) => {
      const event = parse(eventText) as RealmEvent;
      if (event.t === "timer") parts.timers.fire(event.id);
      else if (event.t === "fetch") parts.network.deliver(event, bytes);
      else if (event.t === "abort") parts.abort.abort();
      else parts.link.deliver(event, bytes);
    },
    alloc: (length: number) => new Bytes(length),
    describe: (thrown: unknown) => stringify(describeThrown(thrown)),
  });
}

interface Outlets {
  readonly host: HostCall;
  readonly options: RealmOptions;
  readonly post: (message: object, bytes: Uint8Array | null) => void;
  readonly fail: (thrown: unknown) => void;
}

/** The facade: everything that a plugin finds in its realm, made in here. */
function realmParts({ host, options, post, fail }: Outlets) {
  const link = new StepLink(post);
  const encoding = encodingOf(host);
  const clock = clockOf(host, options.facts.now, options.nondeterministic);
  const timers = timersOf((id, ms) => post({ t: "timer", id, ms }, null), fail);
  const network = fetchOf({ host, encode: encoding.encode, traceparent: options.facts.traceparent, post });
  const abort = new AbortController();
  const context = stepContext({
    ...options,
    link,
    // The facade's own class has what plugins use of the standard's.
    signal: abort.signal,
    wallClock: clock.wallClock,
    encode: encoding.encode,
    secrets: {},
  });
  const Params = searchParamsClass(host, encoding.encode);
  install(host, {
    ...encoding.globals,
    ...clock.globals,
    ...timers.globals,
    ...network.globals,
    URL: urlClass(host, Params),
    URLSearchParams: Params,
    structuredClone,
    AbortController,
    AbortSignal,
    DOMException,
    Event,
    EventTarget,
    console: consoleOf(context.log),
  });
  return { link, timers, network, abort, context };
}

function entry(): Run {
  const plugin = (globalThis as { plugin?: { default?: { run?: unknown } } }).plugin;
  const task = plugin?.default;
  if (typeof task?.run !== "function") throw new TypeError("plugin.default.run is not a function");
  const run: Run = task.run as Run;
  return (input, ctx) => run.call(task, input, ctx);
}

function install(host: HostCall, globals: Record<string, unknown>): void {
  const chance = chanceOf(host);
  Math.random = chance.random;
  const all: Record<string, unknown> = { ...globals, crypto: chance.crypto, self: globalThis };
  for (const [name, value] of Object.entries(all))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  // Shared memory is a clock and a channel; wasm is code the filter of code generation does not see; what the garbage
  // collector tells differs from run to run, and its callbacks would run after the step.
  for (const name of ["SharedArrayBuffer", "Atomics", "WebAssembly", "WeakRef", "FinalizationRegistry"])
    Reflect.deleteProperty(globalThis, name);
  lockErrors();
}

/** Stack formatting calls a function of this realm with objects of the host's frames: nobody may set one. */
function lockErrors(): void {
  Object.defineProperty(Error, "prepareStackTrace", {
    get: () => undefined,
    set: () => undefined,
    configurable: false,
  });
  Object.defineProperty(globalThis, "Error", { value: Error, writable: false, configurable: false, enumerable: false });
}
