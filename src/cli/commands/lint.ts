import { type Command, Option } from "commander";
import { codes, type ExitCode, exitCodes, systemClock } from "../../base/index.ts";
import { type LintReport, lintRevision } from "../../reconciler/index.ts";
import { isGrave, renderFinding, summaryOf } from "../finding-view.ts";
import { fixFiles } from "../lint/fix-files.ts";
import { githubCommand } from "../lint/github-commands.ts";
import { type PlacedFinding, ruleText } from "../lint/lint-view.ts";
import { RuleOrigins } from "../lint/rule-origin.ts";
import { renderSarif } from "../lint/sarif.ts";
import { withCompute } from "../one-compute.ts";
import { openSpecPlace, type SpecPlace } from "../place/spec-place.ts";
import type { CliContext } from "../program.ts";
import { type Terminal, usage } from "../terminal.ts";

const formats = ["text", "json", "sarif", "github"] as const;

interface LintOptions {
  readonly repo?: string;
  readonly ref?: string;
  readonly fix?: true;
  readonly asOf?: Date;
  readonly output: (typeof formats)[number];
}

/** `orrery lint`: what a spec repository says, before it is applied. */
export function addLintCommand(program: Command, context: CliContext): void {
  program
    .command("lint")
    .description("check every document of a spec repository; needs no daemon")
    .argument("[path]", "repository, work tree or folder (default: here)")
    .option("--repo <path>", "the same, as an option")
    .option("--ref <ref>", "the committed state of this branch, ref or commit, not the files of the work tree")
    .option("--fix", "make the safe fixes in the files of the work tree first, then check")
    .option("--as-of <time>", "the day from which schedules are followed through changes of their clock", parseTime)
    .addOption(new Option("-o, --output <format>").choices(formats).default("text"))
    .addHelpText("after", lintHelp)
    .action(async (path: string | undefined, options: LintOptions) => {
      if (path !== undefined && options.repo !== undefined) throw usage("give the path once");
      context.exit(await lint(path ?? options.repo ?? ".", options, context.terminal));
    });
}

const lintHelp = `
Of a work tree the files count as they stand, also those that git ignores; of a bare repository main, or the branch of
HEAD. Signatures are not looked at. Exit 1 on an error (the document would be held) or a denial (applied, not armed).`;

function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw usage(`${text} is no time such as 2026-12-01`);
  return time;
}

async function lint(path: string, options: LintOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.fix === true) fixPlace(path, options, terminal);
  using place = openSpecPlace(path, options.ref);
  const now = options.asOf ?? systemClock.now();
  const report = await withCompute(
    (compute) => lintRevision({ source: place.source, compute, now }, place.revision, new AbortController().signal),
    threadsFor(place),
  );
  printReport(place, report, options.output, terminal);
  return report.findings.some(isGrave) ? exitCodes.findings : exitCodes.ok;
}

function fixPlace(path: string, { ref }: LintOptions, terminal: Terminal): void {
  using place = openSpecPlace(path, ref);
  if (place.kind !== "files") throw usage("--fix changes the files of a work tree; this is a commit");
  for (const { path: file, fixes } of fixFiles(place)) {
    for (const { line, col, message } of fixes) terminal.note(`fixed ${file}:${line}:${col} ${message}`);
  }
}

/** A second thread starts longer than a small repository takes. */
function threadsFor({ source, revision }: SpecPlace): 1 | 2 {
  let documents = 0;
  const tenants = source.entryAt(source.readCommit(revision).tree, "tenants");
  for (const tenant of tenants?.kind === "tree" ? source.readTree(tenants.oid) : []) {
    const dags = tenant.kind === "tree" ? source.entryAt(tenant.oid, "dags") : null;
    if (dags?.kind === "tree") documents += source.readTree(dags.oid).length;
  }
  return documents > 500 ? 2 : 1;
}

function printReport(place: SpecPlace, report: LintReport, output: LintOptions["output"], terminal: Terminal): void {
  using origins = new RuleOrigins(place);
  const findings = report.findings.map(
    ({ rule, ...finding }): PlacedFinding => ({ ...finding, rule: rule === null ? null : origins.originOf(rule) }),
  );
  switch (output) {
    case "json":
      terminal.print(JSON.stringify(jsonOfLint(place, report, findings)));
      break;
    case "sarif":
      terminal.print(renderSarif(findings));
      break;
    case "github":
      for (const finding of findings) terminal.print(githubCommand(finding));
      terminal.note(`${summaryOf(findings, report.documents)} of ${place.name}`);
      break;
    case "text":
      printText(place, report, findings, terminal);
  }
}

const jsonOfLint = (
  { kind, path, revision }: SpecPlace,
  { documents }: LintReport,
  findings: readonly PlacedFinding[],
): object => ({
  ok: !findings.some(isGrave),
  path,
  revision: kind === "revision" ? revision : null,
  documents,
  findings: findings.map((finding) => ({
    ...finding,
    number: codes[finding.code].number,
    cause: codes[finding.code].cause,
  })),
});

function printText(
  place: SpecPlace,
  { documents }: LintReport,
  findings: readonly PlacedFinding[],
  terminal: Terminal,
): void {
  const { tree } = place.source.readCommit(place.revision);
  const readText = (path: string): string | null => {
    const entry = place.source.entryAt(tree, path);
    return entry?.kind === "blob" && entry.defect === null ? place.source.readBlob(entry.oid).toString("utf8") : null;
  };
  for (const finding of findings) terminal.print(`${renderFinding(finding, readText, ruleText(finding))}\n`);
  terminal.print(`${summaryOf(findings, documents)} of ${place.name}`);
}
