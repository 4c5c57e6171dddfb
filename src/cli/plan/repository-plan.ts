import { existsSync, readFileSync } from "node:fs";
import type { SiteStatus } from "../api/index.ts";
import { codes, Fault, systemClock } from "../base/index.ts";
import type { Compute } from "../compute/index.ts";
import { configFileOf, isAlive, loadConfig, readDaemonFile, readEnvironment } from "../config/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../git/index.ts";
import { neverApplied, type ObservedTenant, type Plan, planChanges, planTenant } from "../plan/index.ts";
import { DesiredReader, type SiteDocuments, trustReader } from "../reconciler/index.ts";
import { nodeTrustCrypto } from "../signer/index.ts";
import type { DagView } from "../store/index.ts";
import { type TrustWalk, walkTrust } from "../trust/index.ts";
import type { PlanOptions } from "./commands/repository.ts";
import { revisionOf, specRootOf } from "./spec-place.ts";
import { clientFor, dataDirFor } from "./target.ts";

/** A plan, what it was made against, and what a person must know of both. */
export interface RepositoryPlan {
  readonly plan: Plan;
  readonly comparedWith: "daemon" | "nothing";
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
}

/** `plan` is the daemon's own pass without its last line: observe, planChanges, and nothing more. */
export async function planRepository(options: PlanOptions, compute: Pick<Compute, "decode">): Promise<RepositoryPlan> {
  const installation = await findInstallation(options);
  using repository = openRepository(installation.repository);
  const reader = new DesiredReader(repository, compute);
  const reading: Reading = { repository, reader, installation, signal: new AbortController().signal };
  const head = revisionOf(repository, options.ref ?? installation.specRef).oid;
  const applied = appliedRevision(reading);
  const documents = siteDocuments(reading, head);
  const before = applied === null ? [] : siteDocuments(reading, applied).tenants;
  const tenants = [...new Set([...documents.tenants, ...before])].sort();
  const desired = [];
  const observed: ObservedTenant[] = [];
  for (const tenant of tenants) {
    desired.push((await reader.readTenant(head, tenant, reading.signal)).desired);
    if (applied !== null) observed.push(await observeTenant(reading, tenant, applied));
  }
  const { prunePercent } = documents.repository.brakes;
  const { findings } = documents;
  const plan = planChanges({ revision: head, prunePercent, tenants: desired, findings }, observed);
  const stalled = trustStop(reading, applied, head);
  const comparedWith = applied === null ? "nothing" : "daemon";
  return { plan, comparedWith, stalled, notes: notesOf(reading, documents, { comparedWith, stalled }) };
}

async function findInstallation(options: PlanOptions): Promise<Installation> {
  const dataDir = installedDir(options);
  const status = dataDir === null ? null : await readStatus(dataDir);
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

async function observeTenant(reading: Reading, tenant: string, siteRevision: Oid): Promise<ObservedTenant> {
  const { reader, repository, installation, signal } = reading;
  if (installation.dataDir === null) return neverApplied(tenant);
  const client = await clientFor(installation.dataDir, tenant);
  const { items } = (await client.get("/dags")) as { readonly items: readonly DagView[] };
  const named = items[0] === undefined ? siteRevision : toOid(items[0].appliedRevision);
  const applied = repository.hasObject(named) ? named : siteRevision;
  const dags = items.map(({ dagId, specHash, armed, suspended, pruned }) => ({
    ...{ dagId, specHash, armed, suspended, pruned },
    schedules: [],
  }));
  const stands = { ...neverApplied(tenant), appliedRevision: applied, dags };
  const { desired } = await reader.readTenant(applied, tenant, signal);
  // Applied state follows from the revision alone: planned for its own revision, it says what it is pinned to.
  const own = planTenant(desired, stands, { revision: applied, prunePercent: 100, now: null });
  return {
    ...stands,
    fingerprint: desired.fingerprint,
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
