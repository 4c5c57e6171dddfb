import type { SiteStatus } from "../api/index.ts";
import { type ExitCode, exitCodes, Fault, systemClock } from "../base/index.ts";
import { loadConfig, readDaemonFile, readEnvironment } from "../config/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../git/index.ts";
import { printable } from "../plan/index.ts";
import type { Condition, DagView } from "../store/index.ts";
import { resolveRevision } from "./revision.ts";
import { clientFor } from "./target.ts";
import { type Terminal, usage } from "./terminal.ts";

const lookMs = 100;

interface WaitOptions {
  readonly terminal: Terminal;
  readonly timeoutSeconds: number;
  /** null = every tenant of the commit. */
  readonly tenant: string | null;
}

/**
 * Waits until the daemon has applied `commit` or a descendant of it, then says what of it is held. Exit 0 applied, 1
 * something is held, 5 a brake or an approval waits for a person, 4 not in time.
 */
export async function waitForCommit(dataDir: string, commit: string, options: WaitOptions): Promise<ExitCode> {
  const { terminal, timeoutSeconds, tenant } = options;
  if (commit === "HEAD") throw usage("HEAD means nothing to a daemon: name a branch or a commit");
  let status = await readSite(dataDir);
  using repository = openRepository(repositoryOf(dataDir));
  const wanted = wantedOf(repository, commit);
  const untilMs = systemClock.monotonicMs() + timeoutSeconds * 1000;
  while (!holds(repository, status.appliedRevision, wanted)) {
    const waits = status.reasons.find(({ reason }) => waitingReasons.has(reason));
    if (waits !== undefined || systemClock.monotonicMs() > untilMs) {
      terminal.note(`not applied: the site is at ${status.appliedRevision ?? "no revision"}`);
      for (const { reason, message } of status.reasons) terminal.note(`  ${reason}: ${printable(message)}`);
      return waits === undefined ? exitCodes.unavailable : exitCodes.waiting;
    }
    await systemClock.sleep(lookMs, new AbortController().signal);
    status = await readSite(dataDir);
  }
  terminal.print(`applied ${wanted}`);
  const tenants = tenant === null ? tenantsOf(repository, wanted) : [tenant];
  const exits: ExitCode[] = [];
  for (const each of tenants) exits.push(await judgeTenant(dataDir, each, terminal));
  return (
    exits.find((exit) => exit === exitCodes.waiting) ?? exits.find((exit) => exit !== exitCodes.ok) ?? exitCodes.ok
  );
}

/** Of the site: a person has to act, and waiting longer does not help. */
const waitingReasons: ReadonlySet<string> = new Set(["ApprovalsMissing"]);

function repositoryOf(dataDir: string): string {
  const source = { environment: readEnvironment(), cwd: process.cwd(), isRoot: process.getuid?.() === 0 };
  return loadConfig({ flags: { data: dataDir }, ...source }).repository;
}

/** A whole id may be of a commit whose push is still on its way. */
const wantedOf = (repository: GitRepository, commit: string): Oid =>
  /^[0-9a-f]{40}$/.test(commit) ? toOid(commit) : resolveRevision(repository, commit);

function holds(repository: GitRepository, applied: string | null, wanted: Oid): boolean {
  if (applied === null || !repository.hasObject(wanted)) return false;
  return applied === wanted || repository.isAncestor(wanted, toOid(applied));
}

function tenantsOf(repository: GitRepository, commit: Oid): readonly string[] {
  const folder = repository.entryAt(repository.readCommit(commit).tree, "tenants");
  if (folder?.kind !== "tree" || folder.defect !== null) return [];
  return repository.readTree(folder.oid).flatMap(({ kind, name }) => (kind === "tree" ? [name] : []));
}

async function judgeTenant(dataDir: string, tenant: string, terminal: Terminal): Promise<ExitCode> {
  const client = await clientFor(dataDir, tenant);
  const { items } = (await client.get("/dags")) as { readonly items: readonly DagView[] };
  // Ready and Stalled both say it; once is enough.
  const told = items.flatMap(({ dagId, conditions }) =>
    conditions.filter(isHeld).map(({ reason, message }) => ({ reason, line: `${tenant}/${dagId} ${message}` })),
  );
  const { conditions } = (await client.get("/tenant")) as { readonly conditions: readonly Condition[] };
  // `Held` sums up the DAGs above.
  for (const { type, status, reason, message } of conditions)
    if (type === "Stalled" && status === "True" && reason !== "Held")
      told.push({ reason, line: `${tenant} ${reason}: ${message}` });
  for (const { line } of told) terminal.note(printable(line));
  if (told.some(({ reason }) => reason === "PruneBrake" || reason === "Frozen")) return exitCodes.waiting;
  return told.length === 0 ? exitCodes.ok : exitCodes.findings;
}

const isHeld = ({ type, reason }: Condition): boolean => type === "Ready" && reason === "Held";

async function readSite(dataDir: string): Promise<SiteStatus> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === null) throw new Fault("DAEMON_UNREACHABLE", `no daemon runs on ${dataDir}`);
  const response = await fetch(`${daemon.url}/readyz`).catch((error: unknown) => {
    throw new Fault("DAEMON_UNREACHABLE", `the daemon with pid ${daemon.pid} does not answer`, { cause: error });
  });
  return (await response.json()) as SiteStatus;
}
