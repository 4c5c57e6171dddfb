import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import { type Finding, formatDocument } from "../../spec/index.ts";
import { renderFinding } from "../finding-view.ts";
import { lineDiff } from "../fmt/line-diff.ts";
import { replaceFile } from "../fmt/replace-file.ts";
import { specFiles } from "../fmt/spec-files.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { type Terminal, usage } from "../terminal.ts";

interface FmtOptions {
  readonly check?: true;
  readonly diff?: true;
  readonly output: OutputFormat;
}

/** `orrery fmt [PATH...]`: the canonical layout of spec files. */
export function addFmtCommand(program: Command, context: CliContext): void {
  program
    .command("fmt")
    .description("bring spec files into canonical layout; what they say and their comments stay")
    .argument("[paths...]", "files, folders or a work tree; - reads one file from stdin (default: here)")
    .option("--check", "write nothing; exit 1 and name the files that would change")
    .option("--diff", "write nothing; show what would change")
    .addOption(outputOption())
    .addHelpText("after", fmtHelp)
    .action((paths: readonly string[], options: FmtOptions) => {
      const isStdin = paths.length === 1 && paths[0] === "-";
      if (paths.includes("-") && !isStdin) throw usage("- stands alone");
      context.exit(isStdin ? formatStdin(options, context.terminal) : formatFiles(paths, options, context.terminal));
    });
}

const fmtHelp = `
Of a spec repository only the documents count, of any other folder every .yaml file below it. Prints the name of each file
that it changed. A file that does not decode is a finding, left as it is, and exit 1; orrery lint says what it means.`;

interface Changed {
  readonly file: string;
  readonly read: Uint8Array;
  readonly before: string;
  readonly after: string;
}

function formatFiles(paths: readonly string[], options: FmtOptions, terminal: Terminal): ExitCode {
  const changed: Changed[] = [];
  const findings: Finding[] = [];
  for (const file of specFiles(paths.length === 0 ? ["."] : paths)) {
    const bytes = readFileSync(file);
    const result = formatDocument({ path: file, bytes });
    if (!result.ok) findings.push(...result.findings);
    else if (Buffer.compare(Buffer.from(result.text, "utf8"), bytes) !== 0)
      changed.push({ file, read: bytes, before: bytes.toString("utf8"), after: result.text });
  }
  const isDry = options.check === true || options.diff === true;
  // After all was read: a usage error of one path must not leave half of them written.
  const left = isDry ? [] : changed.filter(({ file, read, after }) => !replaceFile(file, after, read));
  report({ changed: changed.filter((file) => !left.includes(file)), findings }, options, terminal);
  for (const { file } of left) terminal.note(`${printable(file)} was changed meanwhile: left as it is`);
  return findings.length > 0 || (isDry && changed.length > 0) ? exitCodes.findings : exitCodes.ok;
}

interface Formatted {
  readonly changed: readonly Changed[];
  readonly findings: readonly Finding[];
}

function report({ changed, findings }: Formatted, options: FmtOptions, terminal: Terminal): void {
  if (options.output === "json") {
    terminal.print(JSON.stringify({ changed: changed.map(({ file }) => file), findings }));
    return;
  }
  for (const { file, before, after } of changed) {
    if (options.diff === true) printDiff({ file, before, after }, terminal);
    else terminal.print(printable(file));
  }
  const readText = (path: string): string | null => (path === "-" ? null : readFileSync(path, "utf8"));
  for (const finding of findings) terminal.note(renderFinding(finding, readText));
}

function printDiff({ file, before, after }: Omit<Changed, "read">, terminal: Terminal): void {
  for (const line of [`--- ${file}`, `+++ ${file}`, ...lineDiff(before, after)]) terminal.print(printable(line));
}

/** For editors: the layout of stdin on stdout. */
function formatStdin(options: FmtOptions, terminal: Terminal): ExitCode {
  const bytes = readFileSync(0);
  const result = formatDocument({ path: "-", bytes });
  const before = bytes.toString("utf8");
  if (!result.ok) report({ changed: [], findings: result.findings }, options, terminal);
  else if (options.check === true || options.diff === true || options.output === "json") {
    const changed = result.text === before ? [] : [{ file: "-", read: bytes, before, after: result.text }];
    report({ changed, findings: [] }, options, terminal);
    return changed.length > 0 ? exitCodes.findings : exitCodes.ok;
  } else terminal.print(result.text.replace(/\n$/, ""));
  return result.ok ? exitCodes.ok : exitCodes.findings;
}
