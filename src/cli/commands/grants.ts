import type { Command } from "commander";
import { type ExitCode, exitCodes, Fault } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { printable } from "../../plan/index.ts";
import { isId } from "../../spec/index.ts";
import { withCompute } from "../one-compute.ts";
import { parseRange } from "../place/revision.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { nearestText } from "../query/nearest.ts";
import { openQueryPlace } from "../query/query-place.ts";
import { readSpecDocuments, type SpecDocuments } from "../query/spec-documents.ts";
import { diffGrants, type Grant, grantsOf } from "../query/spec-grants.ts";
import { changersOf } from "../query/spec-people.ts";
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
    .description(
      "what each tenant's steps may do and reach, who may change what, and the line that says so; needs no daemon",
    )
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
  const { grants, documents, name } = await readGrants({ tenant, repo: options.repo, at: options.at }, compute);
  if (options.output === "json") terminal.print(jsonText(grants));
  else if (grants.length === 0) terminal.print(`nothing is granted in ${name}`);
  else terminal.print(renderTable(["tenant", "grant", "what", "to", "says"], grants.map(rowOf)));
  noteUnreadable(documents, terminal);
  return exitCodes.ok;
}

async function showDiff({ tenant, options, terminal }: Question, compute: Compute): Promise<ExitCode> {
  const { from, to } = parseRange(options.diff ?? "");
  if (from === null) throw usage("--diff takes FROM..TO");
  if (options.at !== undefined) throw usage("--at and --diff are two questions");
  const { repo } = options;
  // A tenant may be there in one of the two alone.
  const before = await readGrants({ tenant: null, repo, at: from }, compute);
  const after = await readGrants({ tenant: null, repo, at: to ?? "main" }, compute);
  if (tenant !== null) checkTenant([...before.tenants, ...after.tenants], tenant, `${from} or ${to ?? "main"}`);
  const ofTenant = (grant: Grant): boolean => tenant === null || grant.tenant === tenant;
  const diff = diffGrants(before.grants.filter(ofTenant), after.grants.filter(ofTenant));
  const rows = [
    ...diff.gained.map((grant) => ["+", ...rowOf(grant)]),
    ...diff.lost.map((grant) => ["-", ...rowOf(grant)]),
  ];
  if (options.output === "json") terminal.print(jsonText(diff));
  else if (rows.length === 0) terminal.print("no grant was gained or lost");
  else terminal.print(renderTable(["", "tenant", "grant", "what", "to", "says"], rows));
  noteUnreadable(after.documents, terminal);
  return rows.length === 0 ? exitCodes.ok : exitCodes.findings;
}

interface ReadGrants {
  readonly grants: readonly Grant[];
  readonly documents: SpecDocuments;
  readonly tenants: readonly string[];
  /** Of the place, for people. */
  readonly name: string;
}

interface GrantsPlace {
  /** null = every tenant, and the repository. */
  readonly tenant: string | null;
  readonly repo: string;
  readonly at: string | undefined;
}

async function readGrants({ tenant, repo, at }: GrantsPlace, compute: Compute): Promise<ReadGrants> {
  using place = openQueryPlace(repo, at);
  const documents = await readSpecDocuments(place, compute);
  const tenants = tenantsOf(documents);
  if (tenant !== null) checkTenant(tenants, tenant, place.name);
  const changes = changersOf(place, documents, tenant === null ? tenants : [tenant]);
  const wanted = changes.filter((change) => tenant === null || change.tenant === tenant);
  return { grants: [...grantsOf(documents, tenant), ...wanted], documents, tenants, name: place.name };
}

/** Tenants that have any document, also one that does not decode. */
function tenantsOf({ documents, unreadable }: SpecDocuments): readonly string[] {
  const paths = [...documents.map(({ path }) => path), ...unreadable];
  const found = paths.flatMap((path) => /^tenants\/([^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(found.filter(isId))].sort();
}

const rowOf = ({ tenant, kind, what, to, approvals, path, line }: Grant): readonly string[] => [
  tenant === "" ? "-" : tenant,
  kind,
  printable(what),
  printable(kind === "change" && to.length === 0 ? "nobody" : to.join(", ") + approvalsText(approvals)),
  printable(line === 0 ? path : `${path}:${String(line)}`),
];

const approvalsText = (approvals: number): string =>
  approvals === 0 ? "" : ` (${String(approvals)} ${approvals === 1 ? "approval" : "approvals"})`;

function checkTenant(tenants: readonly string[], tenant: string, where: string): void {
  if (tenants.includes(tenant)) return;
  throw new Fault("NOT_FOUND", `${where} has no tenant ${tenant}${nearestText(tenant, tenants)}`);
}

function noteUnreadable({ unreadable }: SpecDocuments, terminal: Terminal): void {
  for (const path of unreadable) terminal.note(`not looked into, for it does not decode: ${printable(path)}`);
}
