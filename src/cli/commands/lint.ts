import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { type LintReport, lintRevision } from "../../reconciler/index.ts";
import { isGrave, renderFinding, summaryOf } from "../finding-view.ts";
import { withCompute } from "../one-compute.ts";
import type { CliContext } from "../program.ts";
import { openSpecPlace, type SpecPlace } from "../spec-place.ts";
import { type OutputFormat, outputOption } from "../target.ts";
import { type Terminal, usage } from "../terminal.ts";

interface LintOptions {
  readonly repo?: string;
  readonly ref?: string;
  readonly output: OutputFormat;
}

/** `orrery lint`: what a spec repository says, before it is applied. */
export function addLintCommand(program: Command, context: CliContext): void {
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
}

const lintHelp = `
Of a work tree the files count as they stand, also those that git ignores; of a bare repository main, or the branch of
HEAD. Signatures are not looked at. Exit 1 on an error (the document would be held) or a denial (applied, not armed).`;

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
