import { existsSync, readFileSync } from "node:fs";
import type { SiteStatus } from "../../api/index.ts";
import { codes, Fault, systemClock, utcText } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { configFileOf, isAlive, loadConfig, readDaemonFile, readEnvironment } from "../../config/index.ts";
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
  type TouchedRun,
} from "../../plan/index.ts";
import { DesiredReader, type SiteDocuments, type SiteSecrets, trustReader } from "../../reconciler/index.ts";
import { ageKeyFileOf, createSecretSources, readSiteIdentity } from "../../secret/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import type { DagView, RunView } from "../../store/index.ts";
import { type TrustWalk, walkTrust } from "../../trust/index.ts";
import type { PlanOptions } from "../commands/plan.ts";
import type { DaemonClient } from "../daemon-client.ts";
import { resolveRevision } from "../revision.ts";
import { specRootOf } from "../spec-place.ts";
import { clientFor, dataDirFor } from "../target.ts";

/** A plan, what it was made against, and what a person must know of both. */
export interface RepositoryPlan {
  readonly plan: Plan;
  /** What it means for people. */
  readonly report: PlanReport;
  readonly comparedWith: "daemon" | "revision" | "nothing";
  /** The first commit that the daemon would not follow, and why. */
  readonly stalled: TrustWalk["stalled"];
  readonly notes: readonly string[];
}

/** The installation that a plan is for, as far as there is one. */
interface Installation {
  /** null where no daemon ever ran here. */
  readonly dataDir: string | null;
  readonly repository: string;
  readonly specRef: string | undefined;
  readonly pinnedSigners: string | null;
  readonly site: string | null;
  /** What the running daemon says of itself. */
  readonly status: SiteStatus | null;
}

interface Reading {
  readonly repository: GitRepository;
  readonly reader: DesiredReader;
  readonly installation: Installation;
  readonly signal: AbortSignal;
  /** Normal form of what stands, by `tenant/dagId`. */
  readonly specTexts: Map<string, string>;
  readonly unfinished: Map<string, Omit<TouchedRun, "effect">[]>;
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
  const reader = new DesiredReader(repository, compute, siteSecretsOf(installation));
  const reading: Reading = {
    ...{ repository, reader, installation },
    signal: new AbortController().signal,
    specTexts: new Map(),
    unfinished: new Map(),
  };
  const head = resolveRevision(repository, options.ref ?? installation.specRef);
  const base = baseOf(reading, options);
  const applied = base?.revision ?? null;
  const documents = siteDocuments(reading, head);
  const before = applied === null ? [] : siteDocuments(reading, applied).tenants;
  const tenants = [...new Set([...documents.tenants, ...before])].sort();
  const desired = [];
  const observed: ObservedTenant[] = [];
  for (const tenant of tenants) {
    desired.push((await reader.readTenant(head, tenant, reading.signal)).desired);
    if (base !== null) observed.push(await observeTenant(reading, tenant, base));
  }
  const { prunePercent } = documents.repository.brakes;
  const { findings } = documents;
  const plan = planChanges({ revision: head, prunePercent, tenants: desired, findings }, observed, nowOf(base));
  const stalled = trustStop(reading, applied, head);
  const comparedWith = base?.kind ?? "nothing";
  const report = reportOf(plan, {
    from: applied,
    asOf: options.asOf ?? new Date(repository.readCommit(head).committer.seconds * 1000),
    hosts: options.hosts ?? null,
    specTextOf: (tenant, dagId) => reading.specTexts.get(`${tenant}/${dagId}`) ?? null,
    unfinished: (tenant, dagId) => reading.unfinished.get(`${tenant}/${dagId}`) ?? [],
  });
  return { plan, report, comparedWith, stalled, notes: notesOf(reading, documents, { comparedWith, stalled }) };
}

/** Where a daemon runs here, what it runs armed depends on the values that it has; else nobody knows. */
function siteSecretsOf({ dataDir, status }: Installation): SiteSecrets | null {
  if (dataDir === null || status === null) return null;
  const identity = async (): Promise<string | null> =>
    (await readSiteIdentity(ageKeyFileOf(dataDir)))?.identity ?? null;
  const { credentialsDir } = readEnvironment();
  return createSecretSources({ dataDir, credentialsDir, identity }).states;
}

async function findInstallation(options: PlanOptions): Promise<Installation> {
  // Between two commits nothing of this machine counts, unless it is named: the same bytes everywhere.
  const dataDir = options.from !== null && options.data === undefined ? null : installedDir(options);
  const status = dataDir === null || options.from !== null ? null : await readStatus(dataDir);
  if (dataDir === null || !existsSync(configFileOf(dataDir))) {
    const repository = specRootOf(options.repo ?? ".");
    return { dataDir, repository, specRef: undefined, pinnedSigners: null, site: status?.site ?? null, status };
  }
  const config = loadConfig({
    flags: { data: dataDir, ...(options.repo === undefined ? {} : { repository: specRootOf(options.repo) }) },
    environment: readEnvironment(),
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
  });
  const { repository, specRef, pinnedSigners, site } = config;
  return { dataDir, repository, specRef, pinnedSigners, site, status };
}

/** Without --data a missing installation is none, not an error. */
function installedDir(options: PlanOptions): string | null {
  if (options.data !== undefined) return dataDirFor(options);
  try {
    return dataDirFor({});
  } catch (error) {
    if (error instanceof Fault && error.code === "CONFIG_INVALID") return null;
    throw error;
  }
}

async function readStatus(dataDir: string): Promise<SiteStatus | null> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === null || !isAlive(daemon.pid)) return null;
  const response = await fetch(`${daemon.url}/readyz`).catch((error: unknown) => {
    throw new Fault("DAEMON_UNREACHABLE", `the daemon with pid ${daemon.pid} does not answer at ${daemon.url}`, {
      cause: error,
    });
  });
  return (await response.json()) as SiteStatus;
}

/** Only what a daemon applied has watermarks and break-glass that a clock could judge. */
const nowOf = (base: Base | null): string | null => (base?.kind === "daemon" ? utcText(systemClock.now()) : null);

function baseOf(reading: Reading, { from }: PlanOptions): Base | null {
  if (from !== null) return { kind: "revision", revision: resolveRevision(reading.repository, from) };
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

async function keepRuns({ unfinished }: Reading, client: DaemonClient, tenant: string): Promise<void> {
  const { items } = (await client.get("/runs?limit=200")) as { readonly items: readonly RunView[] };
  for (const { dagId, runId, runNo, state } of items.filter(({ endedUtc }) => endedUtc === null)) {
    const key = `${tenant}/${dagId}`;
    unfinished.set(key, [...(unfinished.get(key) ?? []), { runId, runNo, state }]);
  }
}

async function askDaemon(reading: Reading, tenant: string, siteRevision: Oid): Promise<ObservedTenant> {
  const { reader, repository, installation, signal } = reading;
  if (installation.dataDir === null) return neverApplied(tenant);
  const client = await clientFor(installation.dataDir, tenant);
  const { items } = (await client.get("/dags")) as { readonly items: readonly DagView[] };
  await keepRuns(reading, client, tenant);
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

function trustStop({ repository, installation }: Reading, applied: Oid | null, head: Oid): RepositoryPlan["stalled"] {
  const walk = walkTrust({
    ...trustReader(repository),
    verified: applied === null ? null : { commit: applied },
    head,
    readCommit: (oid) => repository.readCommit(toOid(oid)),
    pinnedSigners: installation.pinnedSigners === null ? null : readFileSync(installation.pinnedSigners, "utf8"),
    now: systemClock.now(),
    crypto: nodeTrustCrypto,
  });
  return walk.stalled;
}

function notesOf(
  { installation }: Reading,
  documents: SiteDocuments,
  { comparedWith, stalled }: Pick<RepositoryPlan, "comparedWith" | "stalled">,
): readonly string[] {
  const { site, dataDir } = installation;
  return [
    ...(comparedWith === "nothing"
      ? [`no daemon runs${dataDir === null ? "" : ` on ${dataDir}`}: compared with an empty site`]
      : []),
    ...(documents.site === null
      ? [
          site === null
            ? "no site is configured: planned for every tenant of the repository"
            : `sites/${site}.yaml is not there or does not decode: the daemon would run nothing (SiteUnknown)`,
        ]
      : []),
    ...(stalled === null
      ? []
      : [
          `the daemon would not follow commit ${stalled.commit.slice(0, 12)}: ${codes[stalled.code].number} ${stalled.code} ${stalled.message}`,
        ]),
  ];
}
