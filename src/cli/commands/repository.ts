import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { type Compute, createCompute } from "../../compute/index.ts";
import { type Plan, renderPlan } from "../../plan/index.ts";
import { type LintReport, lintRevision } from "../../reconciler/index.ts";
import { isGrave, renderFinding, summaryOf } from "../finding-view.ts";
import { jsonOfPlan } from "../plan-view.ts";
import type { CliContext } from "../program.ts";
import { planRepository } from "../repository-plan.ts";
import { openSpecPlace, type SpecPlace } from "../spec-place.ts";
import { type OutputFormat, outputOption } from "../target.ts";
import { type Terminal, usage } from "../terminal.ts";

interface LintOptions {
  readonly repo?: string;
  readonly ref?: string;
  readonly output: OutputFormat;
}

export interface PlanOptions {
  readonly repo?: string;
  readonly ref?: string;
  readonly data?: string;
  readonly output: OutputFormat;
}

/** `orrery lint`, `orrery plan`: what a spec repository says, before it is applied. */
export function addRepositoryCommands(program: Command, context: CliContext): void {
  program
    .command("lint")
    .description("check every document of a spec repository; needs no daemon")
    .argument("[path]", "repository, work tree or folder (default: here)")
    .option("--repo <path>", "the same, as an option")
    .option("--ref <ref>", "the committed state of this branch, ref or commit, not the files of the work tree")
    .addOption(outputOption())
    .addHelpText("after", lintHelp)
    .action(async (path: string | undefined, options: LintOptions) => {
      if (path !== undefined && options.repo !== undefined) throw usage("give the path once");
      context.exit(await lint(path ?? options.repo ?? ".", options, context.terminal));
    });
  program
    .command("plan")
    .description("show what a daemon would change")
    .option("--repo <path>", "the spec repository (default: that of the data directory's config.yaml, else here)")
    .option("--ref <ref>", "branch, ref or commit to plan for (default: the branch that the site follows)")
    .option("--data <dir>", "data directory of the daemon to compare with")
    .addOption(outputOption())
    .addHelpText("after", planHelp)
    .action(async (options: PlanOptions) => {
      context.exit(await plan(options, context.terminal));
    });
}

const lintHelp = `
Of a work tree the files count as they stand, also those that git ignores; of a bare repository main, or the branch of
HEAD. Signatures are not looked at. Exit 1 on an error (the document would be held) or a denial (applied, not armed).`;

const planHelp = `
With a daemon on the data directory: compared with what it has applied, DAG by DAG as its API says; quota, allowlist,
plugins and files as its applied revision holds them in this repository. Without a daemon: compared with nothing, so
that everything is new. Only commits are planned, never the files of a work tree.
Exit 0 no change, 1 changes or held, 5 a brake waits for a person.`;

async function lint(path: string, { ref, output }: LintOptions, terminal: Terminal): Promise<ExitCode> {
  using place = openSpecPlace(path, ref);
  const report = await withCompute((compute) =>
    lintRevision({ source: place.source, compute }, place.revision, new AbortController().signal),
  );
  if (output === "json") terminal.print(JSON.stringify(jsonOfLint(place, report)));
  else printLint(place, report, terminal);
  return report.findings.some(isGrave) ? exitCodes.findings : exitCodes.ok;
}

const jsonOfLint = ({ kind, path, revision }: SpecPlace, { documents, findings }: LintReport): object => ({
  ok: !findings.some(isGrave),
  path,
  revision: kind === "revision" ? revision : null,
  documents,
  findings,
});

function printLint(place: SpecPlace, { documents, findings }: LintReport, terminal: Terminal): void {
  const { tree } = place.source.readCommit(place.revision);
  const readText = (path: string): string | null => {
    const entry = place.source.entryAt(tree, path);
    return entry?.kind === "blob" && entry.defect === null ? place.source.readBlob(entry.oid).toString("utf8") : null;
  };
  for (const finding of findings) terminal.print(`${renderFinding(finding, readText)}\n`);
  terminal.print(`${summaryOf(findings, documents)} of ${place.name}`);
}

async function plan(options: PlanOptions, terminal: Terminal): Promise<ExitCode> {
  const answer = await withCompute((compute) => planRepository(options, compute));
  if (options.output === "json") terminal.print(JSON.stringify(jsonOfPlan(answer)));
  else terminal.print(renderPlan(answer.plan).trimEnd());
  for (const note of answer.notes) terminal.note(note);
  return exitOf(answer.plan, answer.stalled !== null);
}

/** A brake before changes (DESIGN.md section 2). What the daemon would not even follow is no clean plan either. */
function exitOf(plan: Plan, stalled: boolean): ExitCode {
  if (plan.tenants.some(({ blocked }) => blocked?.kind === "brake")) return exitCodes.waiting;
  const moved = plan.tenants.some(
    ({ blocked, dags, documents }) => blocked !== null || dags.length > 0 || documents.length > 0,
  );
  return moved || stalled || !plan.complete ? exitCodes.findings : exitCodes.ok;
}

async function withCompute<T>(work: (compute: Compute) => Promise<T>): Promise<T> {
  // A second thread starts longer than a repository of a hundred documents takes.
  const compute = createCompute({ threads: 1 });
  try {
    await compute.start();
    return await work(compute);
  } finally {
    await compute.stop();
  }
}
