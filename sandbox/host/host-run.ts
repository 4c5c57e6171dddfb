import { builtinModules, createRequire } from "node:module";
import { Script } from "node:vm";
import type { MessagePort } from "node:worker_threads";
import type { Context } from "../sdk.ts";
import { type Fill, machineFill, seededFill } from "./chance-stream.ts";
import { outputText } from "./output-text.ts";
import { chanceOf } from "./realm/chance.ts";
import { clockOf } from "./realm/clock.ts";
import { consoleOf } from "./realm/console.ts";
import { realmCalls } from "./realm-calls.ts";
import { stepContext } from "./step-context.ts";
import { describeThrown, stepError } from "./step-error.ts";
import { StepLink } from "./step-link.ts";
import type { StepDown, StepEnvelope, StepError, StepTask, StepUp, ThreadPlugin } from "./step-message.ts";

type Run = (input: unknown, ctx: Context) => unknown;

/**
 * Isolation `host`: the plugin in this thread's own realm with the built-ins that it declares. What keeps it in is the
 * process around us, which is killed after this one step; what is hidden here is hygiene.
 */
export async function runInThread(plugin: ThreadPlugin, task: StepTask, port: MessagePort): Promise<void> {
  let ended = false;
  const send = (message: StepUp, bytes: Uint8Array | null): void => {
    if (!ended) port.postMessage({ message, bytes } satisfies StepEnvelope<StepUp>);
  };
  const link = new StepLink(send);
  const abort = new AbortController();
  port.on("message", ({ message, bytes }: StepEnvelope<StepDown>) => {
    if (message.t === "abort") abort.abort();
    else link.deliver(message, bytes);
  });
  const failed = await new Promise<StepError | null>((resolve) => {
    process.on("unhandledRejection", (reason) => resolve(describeThrown(reason)));
    process.on("uncaughtException", (error) => resolve(describeThrown(error)));
    const context = prepared(plugin, task, link, abort.signal);
    Promise.resolve()
      .then(() => entryOf(plugin)(JSON.parse(task.withText) as unknown, context))
      .then((output) => {
        send({ t: "end", text: outputText(output, task.outputBytes), error: null }, null);
        ended = true;
        resolve(null);
      })
      .catch((thrown: unknown) => resolve(describeThrown(thrown)));
  });
  if (failed !== null) send({ t: "end", text: null, error: failed }, null);
  ended = true;
}

function prepared(plugin: ThreadPlugin, task: StepTask, link: StepLink, signal: AbortSignal): Context {
  const fill: Fill = plugin.nondeterministic
    ? machineFill
    : seededFill(task.facts.seed, task.facts.stepId, task.facts.index);
  const host = realmCalls(() => undefined, fill);
  const clock = clockOf(host, task.facts.now, plugin.nondeterministic);
  const encoder = new TextEncoder();
  const context = stepContext({
    facts: task.facts,
    files: task.files,
    link,
    signal,
    wallClock: clock.wallClock,
    encode: (text) => encoder.encode(text),
    secrets: task.secrets,
  });
  const globals: Record<string, unknown> = { console: consoleOf(context.log), self: globalThis };
  if (task.facts.network) globals["fetch"] = traced(globalThis.fetch, task.facts.traceparent);
  if (!plugin.nondeterministic) {
    const chance = chanceOf(host);
    Math.random = chance.random;
    Object.assign(globals, { Date: clock.globals["Date"], crypto: chance.crypto });
    // The object stays: Node's own fetch marks its timings on it.
    const now = (): number => 0;
    Object.defineProperties(performance, { now: { value: now }, timeOrigin: { value: Date.parse(task.facts.now) } });
  }
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  return context;
}

/** As in a realm: every request says which step it belongs to, unless the plugin says something itself. */
const traced =
  (inner: typeof fetch, traceparent: string): typeof fetch =>
  (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    if (!headers.has("traceparent")) headers.set("traceparent", traceparent);
    return inner(input, { ...init, headers: [...headers] });
  };

function entryOf(plugin: ThreadPlugin): Run {
  const script = new Script(`(function (require) {${plugin.text}\n;return plugin;})`, {
    filename: `${plugin.name}.js`,
  });
  const load = script.runInThisContext() as (require: unknown) => { default?: { run?: unknown } };
  for (const name of ["binding", "_linkedBinding", "dlopen", "getBuiltinModule", "mainModule"])
    Object.defineProperty(process, name, { value: undefined, configurable: false });
  const task = load(declaredRequire(plugin.builtins)).default;
  if (typeof task?.run !== "function") throw new TypeError("plugin.default.run is not a function");
  const run: Run = task.run as Run;
  return (input, ctx) => run.call(task, input, ctx);
}

function declaredRequire(builtins: readonly string[]): (name: unknown) => unknown {
  const real = createRequire(__filename) as (name: string) => unknown;
  const granted = new Set(builtins.map((name) => name.replace(/^node:/, "")));
  return (name) => {
    const bare = String(name).replace(/^node:/, "");
    if (granted.has(bare) && builtinModules.includes(bare)) return real(`node:${bare}`);
    throw stepError("SANDBOX_DENIED", `the built-in ${bare} is not declared under needs.builtins`);
  };
}
