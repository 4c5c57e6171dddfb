import { existsSync } from "node:fs";
import type { SiteStatus } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import { configFileOf, isAlive, loadConfig, readDaemonFile, readEnvironment } from "../../config/index.ts";
import type { SiteSecrets } from "../../reconciler/index.ts";
import { ageKeyFileOf, createSecretSources, readSiteIdentity } from "../../secret/index.ts";
import type { PlanOptions } from "../commands/plan.ts";
import { specRootOf } from "../place/spec-place.ts";
import { dataDirFor } from "../place/target.ts";

/** The installation that a plan is for, as far as there is one. */
export interface Installation {
  /** null where no daemon ever ran here. */
  readonly dataDir: string | null;
  readonly repository: string;
  readonly specRef: string | undefined;
  readonly pinnedSigners: string | null;
  readonly site: string | null;
  /** Steps that its hosts run at once; null where neither its configuration nor a daemon says so. */
  readonly hosts: number | null;
  /** What the running daemon says of itself; null = none runs, or none may be asked. */
  readonly status: SiteStatus | null;
  /** A daemon runs and does not answer, where a plan does without. */
  readonly isSilent: boolean;
}

type Asked = Pick<Installation, "status" | "isSilent">;
type Named = Pick<PlanOptions, "from" | "data" | "repo">;

/**
 * Between two commits nothing of this machine counts unless it is named, by --data or ORRERY_DATA: the same bytes
 * everywhere. Fault DAEMON_UNREACHABLE where the daemon that the plan is compared with does not answer.
 */
export async function findInstallation(options: Named): Promise<Installation> {
  const dataDir = options.from !== null && namedDir(options) === null ? null : installedDir(options);
  const asked = await statusOf(dataDir, options);
  if (dataDir !== null && existsSync(configFileOf(dataDir))) return configured(dataDir, options, asked);
  return {
    ...{ dataDir, repository: specRootOf(options.repo ?? "."), specRef: undefined, pinnedSigners: null },
    ...{ site: asked.status?.site ?? null, hosts: asked.status?.sandbox.hosts ?? null },
    ...asked,
  };
}

function configured(dataDir: string, options: Named, asked: Asked): Installation {
  const here = repositoryHere(options);
  const config = loadConfig({
    flags: { data: dataDir, ...(here === null ? {} : { repository: here }) },
    environment: readEnvironment(),
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
  });
  const { repository, specRef, pinnedSigners, site } = config;
  const hosts = config.sandbox.hosts ?? asked.status?.sandbox.hosts ?? null;
  return { dataDir, repository, specRef, pinnedSigners, site, hosts, ...asked };
}

const namedDir = ({ data }: Named): string | null => data ?? readEnvironment().settings["ORRERY_DATA"] ?? null;

/** Where a daemon runs here, what it runs armed depends on the values that it has; else nobody knows. */
export function siteSecretsOf({ dataDir, status }: Installation): SiteSecrets | null {
  if (dataDir === null || status === null) return null;
  const identity = async (): Promise<string | null> =>
    (await readSiteIdentity(ageKeyFileOf(dataDir)))?.identity ?? null;
  const { credentialsDir } = readEnvironment();
  return createSecretSources({ dataDir, credentialsDir, identity }).states;
}

/** Two commits are those of the clone in front of a person, whatever site an exported ORRERY_DATA names. */
function repositoryHere({ from, data, repo }: Named): string | null {
  if (repo !== undefined) return specRootOf(repo);
  if (from === null || data !== undefined) return null;
  try {
    return specRootOf(".");
  } catch {
    return null;
  }
}

/** Without --data a missing installation is none, not an error. */
function installedDir({ data }: Named): string | null {
  if (data !== undefined) return dataDirFor({ data });
  try {
    return dataDirFor({});
  } catch (error) {
    if (error instanceof Fault && error.code === "CONFIG_INVALID") return null;
    throw error;
  }
}

async function statusOf(dataDir: string | null, { from }: Named): Promise<Asked> {
  if (dataDir === null) return { status: null, isSilent: false };
  try {
    return { status: await readStatus(dataDir), isSilent: false };
  } catch (error) {
    if (from === null || !(error instanceof Fault)) throw error;
    return { status: null, isSilent: true };
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
