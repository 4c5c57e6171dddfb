import { type UtcText, utcText } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { type Oid, openRepository } from "../../git/index.ts";
import {
  type DesiredTenant,
  type ForecastTenant,
  type ForecastWindow,
  forecast,
  type TenantForecast,
} from "../../plan/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import { effectiveQuotaAt } from "../../spec/index.ts";
import type { RunView } from "../../store/index.ts";
import { resolveInClone } from "../place/clone-revision.ts";
import { specRootOf } from "../place/spec-place.ts";
import { clientFor, dataDirFor } from "../place/target.ts";
import { dayBudgets } from "./day-budgets.ts";

/** What somebody said that runs take; `usual` of every DAG that nothing else is known of. */
export interface RunCosts {
  readonly usual: RunCost & { readonly ms: number };
  /** By `tenant/dag`. */
  readonly named: ReadonlyMap<string, RunCost>;
}

/** null = not said. */
export interface RunCost {
  readonly ms: number | null;
  readonly cpuMs: number | null;
  readonly artifactBytes: number | null;
}

export interface SimulationRequest {
  readonly repo: string;
  /** Of the daemon whose history counts; null = none. */
  readonly dataDir: string | null;
  /** null = only one revision is played. */
  readonly base: string | null;
  readonly head: string | undefined;
  readonly costs: RunCosts;
  readonly window: ForecastWindow;
}

export interface Simulation {
  readonly from: UtcText;
  readonly to: UtcText;
  readonly hosts: number | null;
  readonly before: SimulatedRevision | null;
  readonly after: SimulatedRevision;
  /** What a run of each DAG takes, and where its time comes from. */
  readonly durations: Readonly<Record<string, KnownCost>>;
  /** Tenants with a budget of a day, and how far it was played. */
  readonly budgets: readonly DayBudget[];
}

export interface KnownCost extends RunCost {
  readonly ms: number;
  readonly source: DurationSource;
}

/** null = the quota has no such budget; `unknown`: DAGs of which nobody said what a run takes, which took nothing. */
export interface DayBudget {
  readonly tenant: string;
  readonly cpuTime: { readonly unknown: readonly string[] } | null;
  readonly artifacts: { readonly unknown: readonly string[] } | null;
}

export type DurationSource = "given" | "history" | "assumed";

export interface SimulatedRevision {
  readonly revision: string;
  readonly tenants: readonly TenantForecast[];
  /** DAGs that do not decode there and are not played, by `tenant/dag`. */
  readonly held: readonly string[];
}

/** Plays one revision, or two, through the same window with the same run times. */
export async function simulate(request: SimulationRequest, compute: Pick<Compute, "decode">): Promise<Simulation> {
  using repository = openRepository(specRootOf(request.repo));
  const head = resolveInClone(repository, request.head);
  const base = request.base === null ? null : resolveInClone(repository, request.base);
  const reader = new DesiredReader(repository, compute);
  const [after, before] = [await readAll(reader, head), base === null ? null : await readAll(reader, base)];
  const times = await timesOf(request, [...after, ...(before ?? [])]);
  const play = (revision: Oid, desired: readonly DesiredTenant[]): SimulatedRevision => ({
    revision,
    tenants: forecast(
      desired.flatMap((tenant) => forecastTenant(tenant, times)),
      request.window,
    ),
    held: desired.flatMap(heldOf),
  });
  return {
    from: utcText(request.window.from),
    to: utcText(request.window.to),
    hosts: request.window.capacity,
    before: base === null || before === null ? null : play(base, before),
    after: play(head, after),
    durations: Object.fromEntries([...times].sort(([a], [b]) => (a < b ? -1 : 1))),
    budgets: dayBudgets([...after, ...(before ?? [])], times, request.window),
  };
}

async function readAll(reader: DesiredReader, revision: Oid): Promise<readonly DesiredTenant[]> {
  const desired: DesiredTenant[] = [];
  const { signal } = new AbortController();
  for (const tenant of reader.allTenants(revision))
    desired.push((await reader.readTenant(revision, tenant, signal)).desired);
  return desired;
}

function forecastTenant(desired: DesiredTenant, times: Times): readonly ForecastTenant[] {
  if (desired.kind === "unreadable") return [];
  const dags = desired.dags.flatMap((dag) => {
    if (dag.kind === "unreadable") return [];
    const blocked = dag.suspended ? ("suspended" as const) : dag.armed ? null : ("not_allowed" as const);
    const cost = times.get(`${desired.tenant}/${dag.dagId}`);
    const { ms: durationMs = 0, cpuMs = null, artifactBytes = null } = cost ?? {};
    return [{ dagId: dag.dagId, spec: dag.spec, blocked, durationMs, cpuMs, artifactBytes }];
  });
  const { tenant, quota } = desired;
  const quotaTurns = quota.overrides.map(({ until }) => new Date(until));
  return [{ tenant, quotaAt: (at) => effectiveQuotaAt(quota, at), quotaTurns, dags }];
}

function heldOf(desired: DesiredTenant): readonly string[] {
  if (desired.kind === "unreadable") return [`${desired.tenant}/*`];
  return desired.dags.flatMap((dag) => (dag.kind === "unreadable" ? [`${desired.tenant}/${dag.dagId}`] : []));
}

type Times = ReadonlyMap<string, KnownCost>;

async function timesOf({ dataDir, costs }: SimulationRequest, desired: readonly DesiredTenant[]): Promise<Times> {
  const times = new Map<string, KnownCost>();
  for (const { tenant, ...rest } of desired) {
    const history =
      dataDir === null ? new Map<string, number>() : await historyOf(dataDirFor({ data: dataDir }), tenant);
    for (const { dagId } of rest.kind === "readable" ? rest.dags : []) {
      const key = `${tenant}/${dagId}`;
      times.set(key, costOf(costs, key, history.get(dagId) ?? null));
    }
  }
  return times;
}

/** History knows how long runs took; what they took of a budget is not kept by run. */
function costOf({ usual, named }: RunCosts, key: string, historyMs: number | null): KnownCost {
  const given = named.get(key);
  const rest = {
    cpuMs: given?.cpuMs ?? usual.cpuMs,
    artifactBytes: given?.artifactBytes ?? usual.artifactBytes,
  };
  const givenMs = given?.ms ?? null;
  if (givenMs !== null) return { ms: givenMs, source: "given", ...rest };
  return historyMs === null
    ? { ms: usual.ms, source: "assumed", ...rest }
    : { ms: historyMs, source: "history", ...rest };
}

/** Median run time of the last runs that succeeded, by DAG. */
async function historyOf(dataDir: string, tenant: string): Promise<ReadonlyMap<string, number>> {
  const client = await clientFor(dataDir, tenant);
  const { items } = (await client.get("/runs?limit=200")) as { readonly items: readonly RunView[] };
  const all = new Map<string, number[]>();
  for (const { dagId, state, startedUtc, endedUtc } of items) {
    if (state !== "succeeded" || startedUtc === null || endedUtc === null) continue;
    all.set(dagId, [...(all.get(dagId) ?? []), Date.parse(endedUtc) - Date.parse(startedUtc)]);
  }
  return new Map([...all].map(([dagId, ms]) => [dagId, ms.sort((a, b) => a - b)[ms.length >> 1] ?? 0]));
}
