import type { Command } from "commander";
import type { DagView, EventView, RunView, TenantView } from "../../store/index.ts";
import { withCompute } from "../one-compute.ts";
import {
  clientFor,
  type DaemonOptions,
  dataDirFor,
  parseTarget,
  tenantOf,
  withDaemonOptions,
} from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { type DagDetail, readiness, renderDag } from "../query/dag-text.ts";
import { dagsAt } from "../query/dags-at.ts";
import { factsText } from "../query/event-text.ts";
import { readRun, renderRun } from "../run/run-view.ts";
import { renderTable, usage } from "../terminal.ts";
import { readSite } from "../wait-for-commit.ts";

interface ListOptions extends DaemonOptions {
  readonly limit: string;
  readonly at?: string;
  readonly repo: string;
}

/** `orrery get dags|runs|events|dag|run`, `orrery describe TENANT/DAG|RUN`. */
export function addGetCommands(program: Command, { terminal }: CliContext): void {
  withDaemonOptions(
    program
      .command("get")
      .argument("<what>", "dags, runs, events, dag or run")
      .argument("[name]")
      .description("show DAGs, runs and what happened"),
  )
    .option("--limit <n>", "how many runs or events", "20")
    .option("--at <rev or utc>", "dags: as a commit, or the newest one of an instant, wants them; needs no daemon")
    .option("--repo <path>", "the spec repository of --at", ".")
    .action(async (what: string, name: string | undefined, options: ListOptions) => {
      terminal.print(await get(what, name, options));
    });
  withDaemonOptions(
    program
      .command("describe")
      .argument("<tenant/dag or run>")
      .description("show one DAG or run with all that is known"),
  ).action(async (name: string, options: DaemonOptions) => {
    terminal.print(isRunId(name) ? await getRun(name, options) : await describeDag(name, options));
  });
}

const isRunId = (name: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);

async function get(what: string, name: string | undefined, options: ListOptions): Promise<string> {
  switch (what) {
    case "dags":
      return options.at === undefined ? listDags(options) : listDagsAt(options.at, options);
    case "runs":
      return listRuns(name, options);
    case "events":
      return listEvents(name, options);
    case "dag":
      if (name === undefined) throw usage("get dag TENANT/DAG");
      return getDag(name, options);
    case "run":
      if (name === undefined) throw usage("get run RUN -t TENANT");
      return getRun(name, options);
    default:
      throw usage(`get ${what}: dags, runs, events, dag or run`);
  }
}

async function listDags(options: DaemonOptions): Promise<string> {
  const client = await clientFor(dataDirFor(options), tenantOf(options));
  const { items } = (await client.get("/dags")) as { readonly items: readonly DagView[] };
  if (options.output === "json") return JSON.stringify(items);
  const rows = items.map((dag) => [
    dag.dagId,
    readiness(dag),
    dag.schedules.map(({ schedule }) => schedule).join(","),
    nextDueOf(dag),
    dag.specHash.slice(0, 12),
    dag.commit.slice(0, 12),
  ]);
  return renderTable(["dag", "ready", "schedules", "next", "spec", "commit"], rows);
}

async function listDagsAt(at: string, { repo, tenant, output }: ListOptions): Promise<string> {
  const { revision, dags } = await withCompute((compute) => dagsAt({ repo, at, tenant: tenant ?? null }, compute));
  if (output === "json") return JSON.stringify({ revision, dags });
  const rows = dags.map((dag) => [
    `${dag.tenant}/${dag.dagId}`,
    dag.state,
    dag.schedules.join(","),
    dag.specHash?.slice(0, 12) ?? "-",
  ]);
  return [`commit ${revision}`, renderTable(["dag", "state", "schedules", "spec"], rows)].join("\n");
}

async function listRuns(name: string | undefined, options: ListOptions): Promise<string> {
  const target = name === undefined ? { tenant: tenantOf(options), name: null } : parseTarget(name, options);
  const client = await clientFor(dataDirFor(options), target.tenant);
  const filter = target.name === null ? "" : `&dag=${target.name}`;
  const { items } = (await client.get(`/runs?limit=${encodeURIComponent(options.limit)}${filter}`)) as {
    readonly items: readonly RunView[];
  };
  if (options.output === "json") return JSON.stringify(items);
  const rows = items.map((run) => [
    run.runId,
    run.dagId,
    `#${run.runNo}`,
    run.state,
    run.code ?? run.wait?.reason ?? "",
    run.trigger.kind,
    run.queuedUtc,
  ]);
  return renderTable(["run", "dag", "no", "state", "why", "trigger", "queued"], rows);
}

async function listEvents(name: string | undefined, options: ListOptions): Promise<string> {
  const target = name === undefined ? { tenant: tenantOf(options), name: null } : parseTarget(name, options);
  const client = await clientFor(dataDirFor(options), target.tenant);
  const subject = target.name === null ? "" : `&subject=dag/${target.name}`;
  const { items } = (await client.get(`/events?limit=${encodeURIComponent(options.limit)}${subject}`)) as {
    readonly items: readonly EventView[];
  };
  if (options.output === "json") return JSON.stringify(items);
  const rows = items.map((event) => [event.at, event.subject, event.type, factsText(event.facts)]);
  return renderTable(["at", "subject", "event", "what"], rows);
}

/** `-o json` prints the stored normal form: the very text that specHash is taken from. */
async function getDag(name: string, options: DaemonOptions): Promise<string> {
  const detail = await readDag(name, options);
  return options.output === "json" ? detail.dag.specText : renderDag(detail);
}

async function describeDag(name: string, options: DaemonOptions): Promise<string> {
  const detail = await readDag(name, options);
  if (options.output !== "json") return renderDag(detail);
  const { dag, tenant, site } = detail;
  return JSON.stringify({ ...dag, tenantConditions: tenant?.conditions ?? [], siteStalled: site.stalled });
}

async function readDag(argument: string, options: DaemonOptions): Promise<DagDetail> {
  const { tenant, name } = parseTarget(argument, options);
  const dataDir = dataDirFor(options);
  const client = await clientFor(dataDir, tenant);
  const dag = (await client.get(`/dags/${name}`)) as DagView;
  const own = (await client.get("/tenant")) as TenantView;
  return { dag, tenant: own, site: await readSite(dataDir) };
}

async function getRun(runId: string, options: DaemonOptions): Promise<string> {
  const client = await clientFor(dataDirFor(options), tenantOf(options));
  const run = await readRun(client, runId);
  return options.output === "json" ? JSON.stringify(run) : renderRun(run);
}

const nextDueOf = (dag: DagView): string => dag.schedules.flatMap(({ nextDue }) => nextDue ?? []).sort()[0] ?? "-";
