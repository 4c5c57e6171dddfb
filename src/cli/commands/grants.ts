import type { Command } from "commander";
import { closestMatch } from "leven";
import { type ExitCode, exitCodes, Fault } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { openRepository } from "../../git/index.ts";
import { printable } from "../../plan/index.ts";
import { withCompute } from "../one-compute.ts";
import type { CliContext } from "../program.ts";
import { readSpecDocuments, type SpecDocuments } from "../query/spec-documents.ts";
import { diffGrants, type Grant, grantsOf } from "../query/spec-grants.ts";
import { parseRange, resolveRevision } from "../revision.ts";
import { openSpecPlace, specRootOf } from "../spec-place.ts";
import { type OutputFormat, outputOption } from "../target.ts";
import { renderTable, type Terminal, usage } from "../terminal.ts";

interface GrantsOptions {
  readonly repo: string;
  readonly at?: string;
  readonly diff?: string;
  readonly output: OutputFormat;
}

/** `orrery grants [TENANT]`: what each tenant's steps may do and reach, and the line that says so. */
export function addGrantsCommand(program: Command, context: CliContext): void {
  program
    .command("grants")
    .description("what each tenant's steps may do and reach, with the line that grants it; needs no daemon")
    .argument("[tenant]", "only this tenant")
    .option("--repo <path>", "repository, work tree or folder", ".")
    .option("--at <rev>", "the committed state of this branch, ref or commit, not the files of the work tree")
    .option("--diff <from..to>", "what was gained and lost between two commits; exit 1 where anything was")
    .addOption(outputOption())
    .action(async (tenant: string | undefined, options: GrantsOptions) => {
      const { terminal } = context;
      const work = options.diff === undefined ? show : showDiff;
      context.exit(await withCompute((compute) => work({ tenant: tenant ?? null, options, terminal }, compute)));
    });
}

interface Question {
  readonly tenant: string | null;
  readonly options: GrantsOptions;
  readonly terminal: Terminal;
}

async function show({ tenant, options, terminal }: Question, compute: Compute): Promise<ExitCode> {
  using place = openSpecPlace(options.repo, options.at);
  const documents = await readSpecDocuments(place, compute);
  checkTenant(documents, tenant, place.name);
  const grants = grantsOf(documents, tenant);
  if (options.output === "json") terminal.print(JSON.stringify(grants));
  else if (grants.length === 0) terminal.print(`nothing is granted in ${place.name}`);
  else terminal.print(renderTable(["tenant", "grant", "what", "to", "says"], grants.map(rowOf)));
  noteUnreadable(documents, terminal);
  return exitCodes.ok;
}

async function showDiff({ tenant, options, terminal }: Question, compute: Compute): Promise<ExitCode> {
  const { from, to } = parseRange(options.diff ?? "");
  if (from === null) throw usage("--diff takes FROM..TO");
  using repository = openRepository(specRootOf(options.repo));
  const read = (revision: string | undefined) =>
    readSpecDocuments({ source: repository, revision: resolveRevision(repository, revision) }, compute);
  const [before, after] = [await read(from), await read(to)];
  const diff = diffGrants(grantsOf(before, tenant), grantsOf(after, tenant));
  const rows = [
    ...diff.gained.map((grant) => ["+", ...rowOf(grant)]),
    ...diff.lost.map((grant) => ["-", ...rowOf(grant)]),
  ];
  if (options.output === "json") terminal.print(JSON.stringify(diff));
  else if (rows.length === 0) terminal.print("no grant was gained or lost");
  else terminal.print(renderTable(["", "tenant", "grant", "what", "to", "says"], rows));
  noteUnreadable(after, terminal);
  return rows.length === 0 ? exitCodes.ok : exitCodes.findings;
}

const rowOf = ({ tenant, kind, what, to, path, line }: Grant): readonly string[] => [
  tenant,
  kind,
  printable(what),
  printable(to.join(", ")),
  printable(`${path}:${String(line)}`),
];

function checkTenant({ documents }: SpecDocuments, tenant: string | null, where: string): void {
  const tenants = documents.flatMap((document) => ("tenant" in document ? (document.tenant ?? []) : []));
  if (tenant === null || tenants.includes(tenant)) return;
  const near = closestMatch(tenant, [...new Set(tenants)], { maxDistance: 3 });
  throw new Fault(
    "NOT_FOUND",
    `${where} has no tenant ${tenant}${near === undefined ? "" : `; did you mean ${near}?`}`,
  );
}

function noteUnreadable({ unreadable }: SpecDocuments, terminal: Terminal): void {
  for (const path of unreadable) terminal.note(`not looked into, for it does not decode: ${printable(path)}`);
}
