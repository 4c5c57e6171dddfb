import type { Command } from "commander";
import { type ExitCode, exitCodes, Fault, systemClock } from "../../base/index.ts";
import type { SlotMark } from "../../calendar/index.ts";
import type { Compute } from "../../compute/index.ts";
import { type DesiredTenant, findingText, printable } from "../../plan/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import { withCompute } from "../one-compute.ts";
import type { SpecPlace } from "../place/spec-place.ts";
import { type OutputFormat, outputOption, parseTarget } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { nearestText } from "../query/nearest.ts";
import { type NextSlot, nextSlotsOf } from "../query/next-slots.ts";
import { openQueryPlace } from "../query/query-place.ts";
import { renderTable, type Terminal } from "../terminal.ts";
import { parseCount, parseInstant } from "./plan.ts";

interface NextOptions {
  readonly repo: string;
  readonly at?: string;
  readonly from?: Date;
  readonly count: number;
  readonly output: OutputFormat;
}

/** `orrery schedule next [TENANT/DAG]`: when what fires, by the documents alone. */
export function addScheduleCommand(program: Command, context: CliContext): void {
  const schedule = program.command("schedule").description("look at schedules");
  schedule
    .command("next")
    .description("the next firing times, in UTC and in the schedule's zone; needs no daemon")
    .argument("[tenant/dag]", "only this tenant or DAG")
    .option("-n, --count <n>", "how many of each DAG", parseCount, 5)
    .option("--from <utc>", "count from here (default: now)", parseInstant)
    .option("--repo <path>", "repository, work tree or folder", ".")
    .option("--at <rev>", "the committed state of this branch, ref or commit, not the files of the work tree")
    .addOption(outputOption())
    .exitOverride()
    .action(async (name: string | undefined, options: NextOptions) => {
      context.exit(await next(name, options, context.terminal));
    });
}

async function next(name: string | undefined, options: NextOptions, terminal: Terminal): Promise<ExitCode> {
  const only = name?.includes("/") === true ? parseTarget(name, {}) : { tenant: name ?? null, name: null };
  using place = openQueryPlace(options.repo, options.at);
  const tenants = await withCompute((compute) => readTenants(place, only.tenant, compute));
  checkDag(tenants, only.name, place.name);
  const question = { from: options.from ?? systemClock.now(), count: options.count, dagId: only.name };
  const answer = nextSlotsOf(tenants, question);
  if (options.output === "json") terminal.print(jsonText(answer.slots));
  else terminal.print(answer.slots.length === 0 ? `no schedule of ${place.name} fires` : renderSlots(answer.slots));
  for (const { dag, why, finding } of answer.blocked)
    terminal.note(printable(`${dag} is ${finding === null ? why : `not armed: ${findingText(finding)}`}`));
  for (const finding of answer.unreadable) terminal.note(`not read: ${findingText(finding)}`);
  return answer.unreadable.length === 0 ? exitCodes.ok : exitCodes.findings;
}

async function readTenants(place: SpecPlace, only: string | null, compute: Compute): Promise<readonly DesiredTenant[]> {
  const reader = new DesiredReader(place.source, compute);
  const known = reader.allTenants(place.revision);
  if (only !== null && !known.includes(only))
    throw new Fault("NOT_FOUND", `${place.name} has no tenant ${only}${nearestText(only, known)}`);
  const tenants: DesiredTenant[] = [];
  for (const tenant of only === null ? known : [only])
    tenants.push((await reader.readTenant(place.revision, tenant, new AbortController().signal)).desired);
  return tenants;
}

/** Of a tenant that does not decode as a whole nobody knows what it has. */
function checkDag([tenant]: readonly DesiredTenant[], dagId: string | null, where: string): void {
  if (dagId === null || tenant?.kind !== "readable") return;
  const known = tenant.dags.map((dag) => dag.dagId);
  if (known.includes(dagId)) return;
  throw new Fault("DAG_NOT_FOUND", `${where} has no ${tenant.tenant}/${dagId}${nearestText(dagId, known)}`);
}

function renderSlots(slots: readonly NextSlot[]): string {
  const rows = slots.map(({ utc, local, zone, tenant, dagId, schedule, mark, blocked }) => [
    utc.replace(".000Z", "Z"),
    zone === "UTC" ? "" : `${local.replace("T", " ")} ${zone}`,
    `${tenant}/${dagId}`,
    schedule,
    [...(mark === null ? [] : [markText(mark)]), ...(blocked === null ? [] : [blocked])].join("; "),
  ]);
  return renderTable(["utc", "in its zone", "dag", "schedule", ""], rows);
}

function markText(mark: SlotMark): string {
  if (mark.kind === "gap") return `${mark.named} does not exist that day`;
  return mark.pass === 1 ? "first of two such times" : "second of two such times";
}
