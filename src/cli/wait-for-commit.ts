import type { SiteStatus } from "../api/index.ts";
import { codes, type ExitCode, exitCodes, Fault, systemClock } from "../base/index.ts";
import { type Config, loadConfig, readDaemonFile, readEnvironment } from "../config/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../git/index.ts";
import { printable } from "../plan/index.ts";
import { conditionReason } from "../reconciler/index.ts";
import type { Condition, DagView } from "../store/index.ts";
import type { TrustWalk } from "../trust/index.ts";
import { resolveRevision } from "./place/revision.ts";
import { clientFor } from "./place/target.ts";
import { type Terminal, usage } from "./terminal.ts";
import { walkFrom } from "./trust/repository-trust.ts";

const lookMs = 100;

interface WaitOptions {
  readonly terminal: Terminal;
  readonly timeoutSeconds: number;
  /** null = every tenant of the commit. */
  readonly tenant: string | null;
}

/**
 * Waits until the daemon has applied `commit` or a descendant of it, then says what of it is held. Exit 0 applied, 1
 * something is held or the commit may not stand, 5 a brake or an approval waits for a person, 4 not in time.
 */
export async function waitForCommit(dataDir: string, commit: string, options: WaitOptions): Promise<ExitCode> {
  const { terminal, timeoutSeconds, tenant } = options;
  if (commit === "HEAD") throw usage("HEAD means nothing to a daemon: name a branch or a commit");
  let status = await readSite(dataDir);
  const { repository: path, specRef } = configOf(dataDir);
  using repository = openRepository(path);
  const wanted = wantedOf(repository, commit);
  const startMs = systemClock.monotonicMs();
  for (let looks = 0; !holds(repository, status.appliedRevision, wanted); looks += 1) {
    const isLate = systemClock.monotonicMs() > startMs + timeoutSeconds * 1000;
    const walks = isLate || looks % looksPerWalk === 1;
    const stalled = walks ? refusedBefore(repository, specRef, { status, wanted }) : null;
    if (stalled !== null || isLate) {
      sayNotApplied(terminal, status, stalled);
      return stalled === null ? exitCodes.unavailable : codes[stalled.code].exit;
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

/** A walk reads commits and approvals: not at each look. */
const looksPerWalk = 5;

interface Awaited {
  readonly status: SiteStatus;
  readonly wanted: Oid;
}

/**
 * What the branch's trust has against the commit, by the repository as it is now: what the daemon said last may be of
 * before a push or an approval.
 */
function refusedBefore(repository: GitRepository, specRef: string, { status, wanted }: Awaited): TrustWalk["stalled"] {
  const [head, applied] = [repository.readRef(specRef), status.appliedRevision];
  if (head === null || applied === null || !repository.hasObject(wanted)) return null;
  // Not on the branch yet: it may come.
  if (!repository.isAncestor(wanted, head)) return null;
  const { verified, stalled } = walkFrom(repository, toOid(applied), head);
  return verified !== null && repository.isAncestor(wanted, toOid(verified.oid)) ? null : stalled;
}

function sayNotApplied(terminal: Terminal, { appliedRevision, reasons }: SiteStatus, stalled: TrustWalk["stalled"]) {
  terminal.note(`not applied: the site is at ${appliedRevision ?? "no revision"}`);
  const told = stalled === null ? reasons : [{ reason: conditionReason(stalled.code), message: stalled.message }];
  for (const { reason, message } of told) terminal.note(`  ${reason}: ${printable(message)}`);
}

function configOf(dataDir: string): Config {
  const source = { environment: readEnvironment(), cwd: process.cwd(), isRoot: process.getuid?.() === 0 };
  return loadConfig({ flags: { data: dataDir }, ...source });
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

export async function readSite(dataDir: string): Promise<SiteStatus> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === null) throw new Fault("DAEMON_UNREACHABLE", `no daemon runs on ${dataDir}`);
  const response = await fetch(`${daemon.url}/readyz`).catch((error: unknown) => {
    throw new Fault("DAEMON_UNREACHABLE", `the daemon with pid ${daemon.pid} does not answer`, { cause: error });
  });
  return (await response.json()) as SiteStatus;
}
