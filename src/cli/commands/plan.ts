import { type Command, InvalidArgumentError, Option } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { type Plan, renderMarkdown, renderPlan, renderReport } from "../../plan/index.ts";
import { withCompute } from "../one-compute.ts";
import { parseRange } from "../place/revision.ts";
import { jsonOfPlan } from "../plan/plan-json.ts";
import { planRepository, type RepositoryPlan } from "../plan/repository-plan.ts";
import type { CliContext } from "../program.ts";
import { type Terminal, usage } from "../terminal.ts";

export interface PlanOptions {
  readonly repo?: string;
  readonly ref?: string;
  readonly data?: string;
  /** Base of the plan instead of the daemon's applied state; null = not named. */
  readonly from: string | null;
  readonly asOf?: Date;
  readonly hosts?: number;
  readonly output: "text" | "json" | "markdown";
}

/** `orrery plan [FROM..TO]`: the daemon's own pass without its last line. */
export function addPlanCommand(program: Command, context: CliContext): void {
  program
    .command("plan")
    .description("show what a daemon would change, or what lies between two commits")
    .argument("[range]", "FROM..TO or TO; each a branch, ref or commit, with ^ or ~n")
    .option("--repo <path>", "the spec repository (default: that of the data directory's config.yaml, else here)")
    .option("--ref <ref>", "the same as TO")
    .option("--data <dir>", "data directory of the daemon to compare with")
    .option("--as-of <utc>", "count firing times from here (default: the committer time of TO)", parseInstant)
    .option("--hosts <n>", "steps that the site's hosts run at once (default: as the site says)", parseCount)
    .addOption(
      new Option("-o, --output <format>")
        .choices(["text", "json", "markdown"] satisfies PlanOptions["output"][])
        .default("text"),
    )
    .addHelpText("after", planHelp)
    .action(async (range: string | undefined, options: Omit<PlanOptions, "from">) => {
      if (range !== undefined && options.ref !== undefined) throw usage("give TO once: as the argument or as --ref");
      const { from, to } = range === undefined ? { from: null, to: options.ref } : parseRange(range);
      context.exit(await plan({ ...options, from, ...(to === undefined ? {} : { ref: to }) }, context.terminal));
    });
}

const planHelp = `
FROM..TO needs no daemon: from the same commits and approvals it gives the same bytes on any machine. With --data, or
ORRERY_DATA, it is for the site of that data directory, and a daemon that runs there is asked for runs under way alone.
Without FROM: compared with what the daemon on the data directory has applied, DAG by DAG as its API says; quota, allowlist, plugins and files as its applied revision holds them
in this repository; without a daemon with nothing, so that everything is new. Only commits are planned, never the files
of a work tree.
Exit 0 no change, 1 changes or held, 5 a brake or an approval waits for a person.`;

/** For options that take an instant: `2026-11-24T00:00:00Z`, or a date alone. */
export function parseInstant(text: string): Date {
  const wanted = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/.test(text);
  const instant = new Date(text);
  if (!wanted || Number.isNaN(instant.getTime()))
    throw new InvalidArgumentError("not an instant as 2026-11-24T00:00:00Z");
  return instant;
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("not a count from 1");
  return Number(text);
}

async function plan(options: PlanOptions, terminal: Terminal): Promise<ExitCode> {
  const answer = await withCompute((compute) => planRepository(options, compute));
  switch (options.output) {
    case "json":
      terminal.print(JSON.stringify(jsonOfPlan(answer)));
      break;
    case "markdown":
      terminal.print(renderMarkdown(answer.report).trimEnd());
      break;
    case "text":
      terminal.print([renderPlan(answer.plan).trimEnd(), ...renderReport(answer.report)].join("\n"));
  }
  for (const note of answer.notes) terminal.note(note);
  return exitOf(answer.plan, answer.report.stalled);
}

/** A brake before changes (DESIGN.md section 2). What the daemon would not even follow is no clean plan either. */
function exitOf(plan: Plan, stalled: RepositoryPlan["report"]["stalled"]): ExitCode {
  if (stalled?.code === "APPROVALS_MISSING") return exitCodes.waiting;
  if (plan.tenants.some(({ blocked }) => blocked?.kind === "brake" || blocked?.kind === "freeze"))
    return exitCodes.waiting;
  const moved = plan.tenants.some(
    ({ blocked, dags, documents }) => blocked !== null || dags.length > 0 || documents.length > 0,
  );
  return moved || stalled !== null || !plan.complete ? exitCodes.findings : exitCodes.ok;
}
