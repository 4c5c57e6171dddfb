import { type Command, InvalidArgumentError } from "commander";
import { type ExitCode, exitCodes, type JsonObject } from "../../base/index.ts";
import {
  clientFor,
  type DaemonOptions,
  dataDirFor,
  parseSeconds,
  parseTarget,
  withDaemonOptions,
} from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { inputsOf } from "../run/run-inputs.ts";
import { waitForRun } from "../run/run-view.ts";
import { type Terminal, usage } from "../terminal.ts";

interface RunOptions extends DaemonOptions {
  readonly input: readonly string[];
  readonly message?: string;
  readonly key?: string;
  readonly wait: boolean;
  readonly timeout: number;
  readonly local?: true;
  readonly repo?: string;
  readonly now?: Date;
  readonly slot?: Date;
  readonly schedule?: string;
  readonly keep?: true;
  readonly allowWeak?: true;
}

/** `orrery run TENANT/DAG`: starts a run; `-m` is the rationale that its record carries. `--local`: without a daemon. */
export function addRunCommand(program: Command, context: CliContext): void {
  withDaemonOptions(program.command("run").argument("<tenant/dag>").description("start a run by hand"))
    .option("-i, --input <name=value>", "an input; the value is JSON where it parses, else text", collect, [])
    .option("-m, --message <rationale>", "why; the run's record carries it")
    .option("--key <key>", "idempotency key: the same key and inputs give the same run")
    .option("--no-wait", "do not wait for its end")
    .option("--timeout <seconds>", "how long to wait", parseSeconds, 3600)
    .option("--local", "run the files of a work tree here: no daemon, no database, nothing recorded")
    .option("--repo <path>", "local: the work tree (default: here, or that of the file)")
    .option("--now <time>", "local: the instant that the steps see", parseInstant)
    .option("--slot <time>", "local: as the schedule would start it then, with its inputs", parseInstant)
    .option("--schedule <name>", "local: whose slot, where the DAG has several schedules")
    .option("--keep", "local: keep artifacts and logs, and print where they are")
    .option("--allow-weak", "local: run at sandbox level process where confined cannot be had: it stops accidents only")
    .addHelpText("after", localHelp)
    .action(async (target: string, options: RunOptions) => {
      const start = options.local === true ? runLocal : run;
      context.exit(await start(target, options, context.terminal));
    });
}

const localHelp = `
With --local the argument may be a file: orrery run --local tenants/acme/dags/hello.yaml. Steps run in the real sandbox,
files as they stand, also those that are not committed. Exit 1: it did not succeed; 3: something is not granted.`;

function parseInstant(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError("not an instant such as 2026-12-01T03:30:00Z");
  return time;
}

/** Its module brings the worker, the sandbox and the compute pool along: a start by a daemon must not wait for these. */
async function runLocal(argument: string, options: RunOptions, terminal: Terminal): Promise<ExitCode> {
  const { runLocalCommand } = await import("../local/local-command.ts");
  const { repo, tenant, data, output } = options;
  return await runLocalCommand(
    argument,
    {
      ...(repo === undefined ? {} : { repo }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(data === undefined ? {} : { data }),
      output,
      inputs: inputsOf(options.input),
      now: options.now ?? null,
      slot: options.slot ?? null,
      schedule: options.schedule ?? null,
      key: options.key ?? null,
      rationale: options.message ?? null,
      allowWeak: options.allowWeak === true,
      keep: options.keep === true,
    },
    terminal,
  );
}

async function run(argument: string, options: RunOptions, terminal: Terminal): Promise<ExitCode> {
  const stray = localOnly.find((name) => options[name] !== undefined);
  if (stray !== undefined) throw usage(`--${kebab(stray)} goes with --local`);
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

const localOnly = ["repo", "now", "slot", "schedule", "keep", "allowWeak"] as const;
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function printStarted(runId: string, { output }: RunOptions, terminal: Terminal): ExitCode {
  terminal.print(output === "json" ? JSON.stringify({ runId }) : runId);
  return exitCodes.ok;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
