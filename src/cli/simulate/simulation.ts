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
import { resolveRevision } from "../revision.ts";
import { specRootOf } from "../spec-place.ts";
import { clientFor, dataDirFor } from "../target.ts";

/** How long runs take, ms. */
export interface Durations {
  readonly usualMs: number;
  /** By `tenant/dag`. */
  readonly named: ReadonlyMap<string, number>;
}

export interface SimulationRequest {
  readonly repo: string;
  /** Of the daemon whose history counts; null = none. */
  readonly dataDir: string | null;
  /** null = only one revision is played. */
  readonly base: string | null;
  readonly head: string | undefined;
  readonly durations: Durations;
  readonly window: ForecastWindow;
}

export interface Simulation {
  readonly from: UtcText;
  readonly to: UtcText;
  readonly hosts: number | null;
  readonly before: SimulatedRevision | null;
  readonly after: SimulatedRevision;
  /** Where the run times of each DAG come from. */
  readonly durations: Readonly<Record<string, { readonly ms: number; readonly source: DurationSource }>>;
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
  const head = resolveRevision(repository, request.head);
  const base = request.base === null ? null : resolveRevision(repository, request.base);
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
    const durationMs = times.get(`${desired.tenant}/${dag.dagId}`)?.ms ?? 0;
    return [{ dagId: dag.dagId, spec: dag.spec, blocked, durationMs }];
  });
  const { tenant, quota } = desired;
  const quotaTurns = quota.overrides.map(({ until }) => new Date(until));
  return [{ tenant, quotaAt: (at) => effectiveQuotaAt(quota, at), quotaTurns, dags }];
}

function heldOf(desired: DesiredTenant): readonly string[] {
  if (desired.kind === "unreadable") return [`${desired.tenant}/*`];
  return desired.dags.flatMap((dag) => (dag.kind === "unreadable" ? [`${desired.tenant}/${dag.dagId}`] : []));
}

type Times = ReadonlyMap<string, { readonly ms: number; readonly source: DurationSource }>;

async function timesOf({ dataDir, durations }: SimulationRequest, desired: readonly DesiredTenant[]): Promise<Times> {
  const times = new Map<string, { ms: number; source: DurationSource }>();
  for (const { tenant, ...rest } of desired) {
    const history =
      dataDir === null ? new Map<string, number>() : await historyOf(dataDirFor({ data: dataDir }), tenant);
    for (const { dagId } of rest.kind === "readable" ? rest.dags : []) {
      const key = `${tenant}/${dagId}`;
      const [given, seen] = [durations.named.get(key), history.get(dagId)];
      if (given !== undefined) times.set(key, { ms: given, source: "given" });
      else if (seen !== undefined) times.set(key, { ms: seen, source: "history" });
      else times.set(key, { ms: durations.usualMs, source: "assumed" });
    }
  }
  return times;
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
