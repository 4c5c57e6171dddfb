import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { durationMs, isId, sizeBytes } from "../../spec/index.ts";
import { withCompute } from "../one-compute.ts";
import { parseRange } from "../place/revision.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { type RunCost, type RunCosts, simulate } from "../simulate/simulation.ts";
import { renderSimulation } from "../simulate/simulation-view.ts";
import { type Terminal, usage } from "../terminal.ts";
import { parseCount, parseInstant } from "./plan.ts";

interface SimulateOptions {
  readonly repo?: string;
  readonly data?: string;
  readonly from: Date;
  readonly to: Date;
  readonly duration: number;
  readonly durations?: ReadonlyMap<string, RunCost>;
  readonly cpu?: number;
  readonly artifacts?: number;
  readonly slots?: true;
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
    .option("--cpu <d>", "CPU time that a run takes, for perDay.cpuTime (default: not known)", parseDuration)
    .option(
      "--artifacts <size>",
      "artifact bytes that a run leaves, for perDay.artifacts (default: not known)",
      parseSize,
    )
    .option("--durations <file>", 'JSON: {"tenant/dag": "30s" or {"duration", "cpu", "artifacts"}, …}', readDurations)
    .option("--slots", "name each slot and what becomes of it")
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
Needs no daemon. Nothing is running or waiting at --from, and nothing of that day's budgets is used. Runs by hand are not in it, and steps are not: a run is one piece
that takes as long as you say.`;

async function run(range: string | undefined, options: SimulateOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.to <= options.from) throw usage("--to is not after --from");
  const { from, to } = range === undefined ? { from: null, to: undefined } : parseRange(range);
  const usual = { ms: options.duration, cpuMs: options.cpu ?? null, artifactBytes: options.artifacts ?? null };
  const costs: RunCosts = { usual, named: options.durations ?? new Map() };
  const answer = await withCompute((compute) =>
    simulate(
      {
        ...{ repo: options.repo ?? ".", dataDir: options.data ?? null, base: from, head: to, costs },
        window: {
          from: options.from,
          to: options.to,
          capacity: options.hosts ?? null,
          withSlots: options.slots === true,
        },
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

function parseSize(text: string): number {
  if (!/^\d{1,7}(Ki|Mi|Gi)$/.test(text)) throw new InvalidArgumentError("not a size as 64Ki, 5Mi, 1Gi");
  return sizeBytes(text);
}

function readDurations(file: string): ReadonlyMap<string, RunCost> {
  let entries: readonly (readonly [string, unknown])[];
  try {
    entries = Object.entries(JSON.parse(readFileSync(file, "utf8")) as object);
  } catch {
    throw new InvalidArgumentError("not a readable JSON file");
  }
  return new Map(
    entries.map(([name, value]) => {
      if (!name.split("/").every(isId) || name.split("/").length !== 2)
        throw new InvalidArgumentError(`${JSON.stringify(name)} is not tenant/dag`);
      return [name, costOf(name, value)];
    }),
  );
}

function costOf(name: string, value: unknown): RunCost {
  if (typeof value === "string") return { ms: parseDuration(value), cpuMs: null, artifactBytes: null };
  if (typeof value !== "object" || value === null) throw new InvalidArgumentError(`${name}: not a duration`);
  const members = Object.entries(value as Readonly<Record<string, unknown>>);
  const said = new Map(
    members.map(([member, text]) => {
      const parse = Object.hasOwn(costMembers, member) ? costMembers[member as keyof typeof costMembers] : null;
      if (parse === null || typeof text !== "string")
        throw new InvalidArgumentError(
          `${name}: ${JSON.stringify(member)} is not duration, cpu or artifacts as a text`,
        );
      return [member, parse(text)];
    }),
  );
  const of = (member: keyof typeof costMembers): number | null => said.get(member) ?? null;
  return { ms: of("duration"), cpuMs: of("cpu"), artifactBytes: of("artifacts") };
}

const costMembers = { duration: parseDuration, cpu: parseDuration, artifacts: parseSize } as const;
