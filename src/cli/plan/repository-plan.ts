import { Fault, systemClock, utcText } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../../git/index.ts";
import {
  appliedState,
  type DesiredTenant,
  neverApplied,
  type ObservedTenant,
  type Plan,
  type PlanReport,
  planChanges,
  planTenant,
  reportOf,
  Suspended,
  type Suspension,
} from "../../plan/index.ts";
import { DesiredReader, type SiteDocuments } from "../../reconciler/index.ts";
import type { DagView } from "../../store/index.ts";
import type { PlanOptions } from "../commands/plan.ts";
import { resolveInClone } from "../place/clone-revision.ts";
import { clientFor } from "../place/target.ts";
import { findInstallation, type Installation, siteSecretsOf } from "./installation.ts";
import { type PlanTrust, readPlanTrust } from "./plan-trust.ts";
import { type UnfinishedRun, unfinishedRuns } from "./unfinished-runs.ts";

/** A plan, what it was made against, and what a person must know of both. */
export interface RepositoryPlan {
  readonly plan: Plan;
  /** What it means for people. */
  readonly report: PlanReport;
  readonly comparedWith: "daemon" | "revision" | "nothing";
  readonly notes: readonly string[];
}

interface Reading {
  readonly repository: GitRepository;
  readonly reader: DesiredReader;
  readonly installation: Installation;
  readonly signal: AbortSignal;
  /** Normal form of what stands, by `tenant/dagId`. */
  readonly specTexts: Map<string, string>;
  /** By tenant; those that no daemon was asked about are not in it. */
  readonly unfinished: Map<string, ReadonlyMap<string, readonly UnfinishedRun[]>>;
}

/** What the plan starts from. */
interface Base {
  readonly kind: "daemon" | "revision";
  readonly revision: Oid;
}

/** `plan` is the daemon's own pass without its last line: observe, planChanges, and nothing more. */
export async function planRepository(options: PlanOptions, compute: Pick<Compute, "decode">): Promise<RepositoryPlan> {
  const installation = await findInstallation(options);
  using repository = openRepository(installation.repository);
  const secrets = options.from === null ? siteSecretsOf(installation) : null;
  const reader = new DesiredReader(repository, compute, secrets);
  const reading: Reading = {
    ...{ repository, reader, installation },
    signal: new AbortController().signal,
    specTexts: new Map(),
    unfinished: new Map(),
  };
  const head = resolveInClone(repository, options.ref ?? installation.specRef);
  const base = baseOf(reading, options);
  const { plan, documents } = await planFrom(reading, base, head);
  const applied = base?.revision ?? null;
  const trust = readPlanTrust(repository, { base: applied, head, pinnedSigners: installation.pinnedSigners });
  const comparedWith = base?.kind ?? "nothing";
  const report = reportOf(plan, {
    from: applied,
    asOf: options.asOf ?? new Date(repository.readCommit(head).committer.seconds * 1000),
    hosts: options.hosts ?? installation.hosts,
    site: installation.site,
    ...{ authority: trust.authority, stalled: trust.stalled },
    specTextOf: (tenant, dagId) => reading.specTexts.get(`${tenant}/${dagId}`) ?? null,
    unfinished: (tenant, dagId) => {
      const runs = reading.unfinished.get(tenant);
      return runs === undefined ? null : (runs.get(dagId) ?? []);
    },
  });
  return { plan, report, comparedWith, notes: notesOf(reading, documents, { comparedWith, trust }) };
}

async function planFrom(
  reading: Reading,
  base: Base | null,
  head: Oid,
): Promise<{ readonly plan: Plan; readonly documents: SiteDocuments }> {
  const documents = siteDocuments(reading, head);
  const before = base === null ? [] : siteDocuments(reading, base.revision).tenants;
  const tenants = [...new Set([...documents.tenants, ...before])].sort();
  const desired: DesiredTenant[] = [];
  const observed: ObservedTenant[] = [];
  for (const tenant of tenants) {
    desired.push((await reading.reader.readTenant(head, tenant, reading.signal)).desired);
    if (base !== null) observed.push(await observeTenant(reading, tenant, base));
  }
  const { prunePercent } = documents.repository.brakes;
  const { findings } = documents;
  const wanted = { revision: head, prunePercent, tenants: desired, findings };
  return { plan: planChanges(wanted, observed, nowOf(base)), documents };
}

/** Only what a daemon applied has watermarks and break-glass that a clock could judge. */
const nowOf = (base: Base | null): string | null => (base?.kind === "daemon" ? utcText(systemClock.now()) : null);

function baseOf(reading: Reading, { from }: PlanOptions): Base | null {
  if (from !== null) return { kind: "revision", revision: resolveInClone(reading.repository, from) };
  const revision = appliedRevision(reading);
  return revision === null ? null : { kind: "daemon", revision };
}

function appliedRevision({ installation, repository }: Reading): Oid | null {
  const applied = installation.status?.appliedRevision ?? null;
  if (applied === null) return null;
  const oid = toOid(applied);
  if (repository.hasObject(oid)) return oid;
  throw new Fault("REF_MISSING", `the daemon has applied ${applied}, which ${repository.path} does not hold`);
}

/** Without a site's file (or without a site) every tenant of the repository is planned: the plan says so in a note. */
function siteDocuments({ reader, installation }: Reading, revision: Oid): SiteDocuments {
  const documents = reader.readSite(revision, installation.site ?? "none");
  return documents.site === null ? { ...documents, tenants: reader.allTenants(revision) } : documents;
}

async function observeTenant(reading: Reading, tenant: string, base: Base): Promise<ObservedTenant> {
  if (base.kind === "daemon") return askDaemon(reading, tenant, base.revision);
  const { installation, unfinished } = reading;
  if (installation.dataDir !== null && installation.status !== null)
    unfinished.set(tenant, await unfinishedRuns(await clientFor(installation.dataDir, tenant)));
  const { desired } = await reading.reader.readTenant(base.revision, tenant, reading.signal);
  keepTexts(reading, desired);
  return appliedState(desired, base.revision);
}

/** Which document stood behind a DAG: for the diff of its fields. */
function keepTexts({ specTexts }: Reading, desired: DesiredTenant): void {
  if (desired.kind === "unreadable") return;
  for (const dag of desired.dags)
    if (dag.kind === "readable") specTexts.set(`${desired.tenant}/${dag.dagId}`, dag.specText);
}

async function askDaemon(reading: Reading, tenant: string, siteRevision: Oid): Promise<ObservedTenant> {
  const { reader, repository, installation, signal } = reading;
  if (installation.dataDir === null) return neverApplied(tenant);
  const client = await clientFor(installation.dataDir, tenant);
  const { items } = (await client.get("/dags")) as { readonly items: readonly DagView[] };
  reading.unfinished.set(tenant, await unfinishedRuns(client));
  const { items: suspensions } = (await client.get("/suspensions")) as { readonly items: readonly Suspension[] };
  const named = items[0] === undefined ? siteRevision : toOid(items[0].appliedRevision);
  const applied = repository.hasObject(named) ? named : siteRevision;
  const dags = items.map(({ dagId, specHash, armed, suspended, pruned }) => ({
    ...{ dagId, specHash, armed, suspended, pruned },
    schedules: [],
  }));
  const now = utcText(systemClock.now());
  const stands = { ...neverApplied(tenant), appliedRevision: applied, dags, suspensions };
  const { desired } = await reader.readTenant(applied, tenant, signal);
  keepTexts(reading, desired);
  for (const { dagId, specText } of items) reading.specTexts.set(`${tenant}/${dagId}`, specText);
  // Applied state follows from the revision alone: planned for its own revision, it says what it is pinned to.
  const own = planTenant(desired, stands, { revision: applied, prunePercent: 100, now });
  return {
    ...stands,
    fingerprint: desired.fingerprint + new Suspended(suspensions, now).mark,
    suspended: desired.kind === "readable" && desired.suspended,
    snapshot: own.snapshot,
    conditions: own.conditions,
  };
}

function notesOf(
  { installation }: Reading,
  documents: SiteDocuments,
  { comparedWith, trust }: { readonly comparedWith: RepositoryPlan["comparedWith"]; readonly trust: PlanTrust },
): readonly string[] {
  const { site, dataDir, isSilent } = installation;
  return [
    ...(comparedWith === "nothing"
      ? [`no daemon runs${dataDir === null ? "" : ` on ${dataDir}`}: compared with an empty site`]
      : []),
    ...(isSilent ? [`the daemon on ${dataDir ?? ""} does not answer: runs under way are not known`] : []),
    ...(documents.site === null ? [siteNote(site, dataDir)] : []),
    ...(trust.lacksApprovals
      ? [
          "no approval is here; where this is a clone: git fetch origin '+refs/orrery/approvals/*:refs/orrery/approvals/*'",
        ]
      : []),
  ];
}

function siteNote(site: string | null, dataDir: string | null): string {
  if (site !== null)
    return `sites/${site}.yaml is not there or does not decode: the daemon would run nothing (SiteUnknown)`;
  return dataDir === null
    ? "planned for every tenant of the repository; --data DIR plans for one site"
    : `no site is configured on ${dataDir}: planned for every tenant of the repository`;
}
