import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import { withCompute } from "../one-compute.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { openQueryPlace } from "../query/query-place.ts";
import { readSpecDocuments } from "../query/spec-documents.ts";
import { parseWanted, type Use, usesOf } from "../query/spec-uses.ts";
import { renderTable, type Terminal } from "../terminal.ts";

interface WhereOptions {
  readonly repo: string;
  readonly at?: string;
  readonly output: OutputFormat;
}

/** `orrery where plugin:…|endpoint:…|secret:…`: every use and every grant. */
export function addWhereCommand(program: Command, context: CliContext): void {
  program
    .command("where")
    .description("every step that uses a plugin, endpoint or secret, and every line that grants it; needs no daemon")
    .argument("<what>", "plugin:NAME[@VERSION], endpoint:HOST[:PORT] or secret:NAME")
    .option("--repo <path>", "repository, work tree or folder", ".")
    .option("--at <rev>", "the committed state of this branch, ref or commit, not the files of the work tree")
    .addOption(outputOption())
    .addHelpText("after", "\nExit 0 where something was found, 1 where nothing was.")
    .action(async (what: string, options: WhereOptions) => {
      context.exit(await where(what, options, context.terminal));
    });
}

async function where(what: string, { repo, at, output }: WhereOptions, terminal: Terminal): Promise<ExitCode> {
  const wanted = parseWanted(what);
  using place = openQueryPlace(repo, at);
  const documents = await withCompute((compute) => readSpecDocuments(place, compute));
  const uses = usesOf(documents, wanted);
  if (output === "json") terminal.print(jsonText(uses));
  else if (uses.length > 0) terminal.print(renderTable(["where", "what", "by", "text"], uses.map(rowOf)));
  else terminal.print(`${what} is used and granted nowhere in ${place.name}`);
  for (const path of documents.unreadable) terminal.note(`not looked into, for it does not decode: ${printable(path)}`);
  return uses.length > 0 ? exitCodes.ok : exitCodes.findings;
}

const rowOf = (use: Use): readonly string[] => [
  printable(`${use.path}:${String(use.line)}:${String(use.col)}`),
  use.what,
  use.dagId === null ? use.tenant : `${use.tenant}/${use.dagId} ${use.stepId ?? ""}`,
  printable(use.text),
];
