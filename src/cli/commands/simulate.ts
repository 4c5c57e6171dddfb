import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { durationMs, isId } from "../../spec/index.ts";
import { withCompute } from "../one-compute.ts";
import type { CliContext } from "../program.ts";
import { parseRange } from "../revision.ts";
import { type Durations, simulate } from "../simulate/simulation.ts";
import { renderSimulation } from "../simulate/simulation-view.ts";
import { type OutputFormat, outputOption } from "../target.ts";
import { type Terminal, usage } from "../terminal.ts";
import { parseCount, parseInstant } from "./plan.ts";

interface SimulateOptions {
  readonly repo?: string;
  readonly data?: string;
  readonly from: Date;
  readonly to: Date;
  readonly duration: number;
  readonly durations?: ReadonlyMap<string, number>;
  readonly hosts?: number;
  readonly output: OutputFormat;
}

/** `orrery simulate [FROM..TO]`: which slots fire and what waits, before and after a change. */
export function addSimulateCommand(program: Command, context: CliContext): void {
  program
    .command("simulate")
    .description("play schedules through quotas: slots, queue, waiting and refusals, before and after")
    .argument(
      "[range]",
      "FROM..TO or TO; each a branch, ref or commit, with ^ or ~n (default: main, or the branch of HEAD)",
    )
    .requiredOption("--from <utc>", "begin of the window, as 2026-11-24T00:00:00Z or a date", parseInstant)
    .requiredOption("--to <utc>", "end of the window", parseInstant)
    .option("--duration <d>", "how long a run takes whose DAG is not named elsewhere", parseDuration, 60_000)
    .option("--durations <file>", 'JSON: {"tenant/dag": "30s", …}', readDurations)
    .option("--hosts <n>", "runs that the site does at once (default: only quotas limit)", parseCount)
    .option("--repo <path>", "the spec repository (default: here)")
    .option("--data <dir>", "data directory of a daemon: runs take as long as its last ones (median)")
    .addOption(outputOption())
    .addHelpText("after", simulateHelp)
    .action(async (range: string | undefined, options: SimulateOptions) => {
      context.exit(await run(range, options, context.terminal));
    });
}

const simulateHelp = `
Needs no daemon. Nothing is running or waiting at --from. Runs by hand are not in it, and steps are not: a run is one piece
that takes as long as you say.`;

async function run(range: string | undefined, options: SimulateOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.to <= options.from) throw usage("--to is not after --from");
  const { from, to } = range === undefined ? { from: null, to: undefined } : parseRange(range);
  const durations: Durations = { usualMs: options.duration, named: options.durations ?? new Map() };
  const answer = await withCompute((compute) =>
    simulate(
      {
        ...{ repo: options.repo ?? ".", dataDir: options.data ?? null, base: from, head: to, durations },
        window: { from: options.from, to: options.to, capacity: options.hosts ?? null },
      },
      compute,
    ),
  );
  terminal.print(options.output === "json" ? JSON.stringify(answer) : renderSimulation(answer));
  return exitCodes.ok;
}

export function parseDuration(text: string): number {
  if (!/^\d{1,9}(ms|s|m|h|d)$/.test(text)) throw new InvalidArgumentError("not a duration as 30s, 5m, 2h");
  return durationMs(text);
}

function readDurations(file: string): ReadonlyMap<string, number> {
  let entries: readonly (readonly [string, unknown])[];
  try {
    entries = Object.entries(JSON.parse(readFileSync(file, "utf8")) as object);
  } catch {
    throw new InvalidArgumentError("not a readable JSON file");
  }
  return new Map(
    entries.map(([name, text]) => {
      if (!name.split("/").every(isId) || name.split("/").length !== 2)
        throw new InvalidArgumentError(`${JSON.stringify(name)} is not tenant/dag`);
      if (typeof text !== "string") throw new InvalidArgumentError(`${name}: not a duration`);
      return [name, parseDuration(text)];
    }),
  );
}
