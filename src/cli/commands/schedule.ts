import type { Command } from "commander";
import { type ExitCode, exitCodes, Fault, systemClock } from "../../base/index.ts";
import { type DesiredTenant, findingText, nextFirings, type ReadableDag } from "../../plan/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import { withCompute } from "../one-compute.ts";
import type { CliContext } from "../program.ts";
import { openSpecPlace } from "../spec-place.ts";
import { type OutputFormat, outputOption, parseTarget } from "../target.ts";
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

interface NextSlot {
  readonly tenant: string;
  readonly dagId: string;
  readonly schedule: string;
  readonly utc: string;
  readonly local: string;
  readonly zone: string;
  /** Why the slot would start nothing, or null. */
  readonly blocked: string | null;
}

async function next(name: string | undefined, options: NextOptions, terminal: Terminal): Promise<ExitCode> {
  const only = name?.includes("/") === true ? parseTarget(name, {}) : { tenant: name ?? null, name: null };
  using place = openSpecPlace(options.repo, options.at);
  const from = options.from ?? systemClock.now();
  const slots: NextSlot[] = [];
  const held: string[] = [];
  let known = 0;
  await withCompute(async (compute) => {
    const reader = new DesiredReader(place.source, compute);
    for (const tenant of reader.allTenants(place.revision)) {
      if (only.tenant !== null && only.tenant !== tenant) continue;
      const { desired } = await reader.readTenant(place.revision, tenant, new AbortController().signal);
      for (const dag of dagsOf(desired, only.name)) {
        known += 1;
        if (dag.kind === "unreadable")
          held.push(`${tenant}/${dag.dagId}: ${dag.findings.map(findingText)[0] ?? "held"}`);
        else slots.push(...slotsOf(tenant, dag, { from, count: options.count }));
      }
    }
  });
  if (known === 0 && name !== undefined) throw new Fault("DAG_NOT_FOUND", `${place.name} has no ${name}`);
  slots.sort((a, b) => (a.utc === b.utc ? 0 : a.utc < b.utc ? -1 : 1));
  print(slots, options.output, terminal);
  for (const line of held) terminal.note(`not read: ${line}`);
  return held.length === 0 ? exitCodes.ok : exitCodes.findings;
}

const dagsOf = (desired: DesiredTenant, dagId: string | null) =>
  desired.kind === "unreadable" ? [] : desired.dags.filter((dag) => dagId === null || dag.dagId === dagId);

function slotsOf(
  tenant: string,
  dag: ReadableDag,
  { from, count }: { readonly from: Date; readonly count: number },
): readonly NextSlot[] {
  const denied = dag.findings.find(({ severity }) => severity === "denied");
  const blocked = dag.suspended ? "suspended" : dag.armed ? null : `not armed: ${denied?.code ?? "NotAllowed"}`;
  return nextFirings(dag.spec.schedules, from, count).map((firing) => ({
    tenant,
    dagId: dag.dagId,
    ...firing,
    blocked,
  }));
}

function print(slots: readonly NextSlot[], output: OutputFormat, terminal: Terminal): void {
  if (output === "json") terminal.print(JSON.stringify(slots));
  else if (slots.length === 0) terminal.print("no schedule fires");
  else {
    const rows = slots.map(({ utc, local, zone, tenant, dagId, schedule, blocked }) => [
      utc.replace(".000Z", "Z"),
      zone === "UTC" ? "" : `${local.replace("T", " ")} ${zone}`,
      `${tenant}/${dagId}`,
      schedule,
      blocked ?? "",
    ]);
    terminal.print(renderTable(["utc", "in its zone", "dag", "schedule", ""], rows));
  }
}
