import type { Command } from "commander";
import { type ExitCode, exitCodes, type Json, type JsonObject } from "../../base/index.ts";
import type { CliContext } from "../program.ts";
import { waitForRun } from "../run-view.ts";
import { clientFor, type DaemonOptions, dataDirFor, parseSeconds, parseTarget, withDaemonOptions } from "../target.ts";
import { type Terminal, usage } from "../terminal.ts";

interface RunOptions extends DaemonOptions {
  readonly input: readonly string[];
  readonly message?: string;
  readonly key?: string;
  readonly wait: boolean;
  readonly timeout: number;
}

/** `orrery run TENANT/DAG`: starts a run; `-m` is the rationale that its record carries. */
export function addRunCommand(program: Command, context: CliContext): void {
  withDaemonOptions(program.command("run").argument("<tenant/dag>").description("start a run by hand"))
    .option("-i, --input <name=value>", "an input; the value is JSON where it parses, else text", collect, [])
    .option("-m, --message <rationale>", "why; the run's record carries it")
    .option("--key <key>", "idempotency key: the same key and inputs give the same run")
    .option("--no-wait", "do not wait for its end")
    .option("--timeout <seconds>", "how long to wait", parseSeconds, 3600)
    .action(async (target: string, options: RunOptions) => {
      context.exit(await run(target, options, context.terminal));
    });
}

async function run(argument: string, options: RunOptions, terminal: Terminal): Promise<ExitCode> {
  const { tenant, name } = parseTarget(argument, options);
  const client = await clientFor(dataDirFor(options), tenant);
  const body: JsonObject = {
    inputs: inputsOf(options.input),
    ...(options.message === undefined ? {} : { rationale: options.message }),
  };
  const headers = options.key === undefined ? {} : { "idempotency-key": options.key };
  const started = (await client.post(`/dags/${name}/runs`, body, headers)) as {
    readonly runId: string;
    readonly existing: boolean;
  };
  if (started.existing) terminal.note(`existing run: this key started it before`);
  if (!options.wait) return printStarted(started.runId, options, terminal);
  terminal.note(`run ${started.runId}`);
  return waitForRun(client, started.runId, {
    terminal,
    output: options.output,
    timeoutSeconds: options.timeout,
  });
}

function printStarted(runId: string, { output }: RunOptions, terminal: Terminal): ExitCode {
  terminal.print(output === "json" ? JSON.stringify({ runId }) : runId);
  return exitCodes.ok;
}

function inputsOf(pairs: readonly string[]): JsonObject {
  const inputs: Record<string, Json> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw usage(`-i ${pair}: write name=value`);
    const name = pair.slice(0, at);
    if (Object.hasOwn(inputs, name)) throw usage(`-i ${name}: given twice`);
    inputs[name] = valueOf(pair.slice(at + 1));
  }
  return inputs;
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
