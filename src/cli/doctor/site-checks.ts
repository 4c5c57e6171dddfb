import { existsSync, statfsSync, statSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import type { SiteStatus } from "../../api/index.ts";
import { faultOf, findCode } from "../../base/index.ts";
import { type Config, isAlive, readDaemonFile } from "../../config/index.ts";
import { openRepository, preflight } from "../../git/index.ts";
import { fail, fine, type HealthCheck, warn } from "./health-check.ts";

/** What the daemon of the data directory says of itself; without one, whether its database would be there. */
export async function daemonChecks(dataDir: string, databaseUrl: string | null): Promise<readonly HealthCheck[]> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === null || !isAlive(daemon.pid)) {
    return [warn("daemon", `none runs on ${dataDir}`, "orrery up"), await databaseCheck(databaseUrl)];
  }
  try {
    const response = await fetch(`${daemon.url}/readyz`, { signal: AbortSignal.timeout(5000) });
    const status = (await response.json()) as SiteStatus;
    const { ready, reasons, site, appliedRevision } = status;
    const at = appliedRevision === null ? "nothing applied" : `applied ${appliedRevision.slice(0, 12)}`;
    return [
      fine("daemon", `pid ${daemon.pid} at ${daemon.url}, site ${site}, ${at}`),
      ready ? fine("ready", "yes") : fail("ready", `no: ${reasons.length} reasons`, null),
      ...reasons.map(({ reason, message }) => fail(reason, message, fixOf(reason))),
      skewCheck(response.headers.get("date"), new Date()),
    ];
  } catch (error) {
    const why = error instanceof Error ? error.message : "no answer";
    return [fail("daemon", `pid ${daemon.pid} does not answer at ${daemon.url}: ${why}`, "see its log")];
  }
}

/** Many reasons are the CamelCase of a message's name; those have a fix. */
const fixOf = (reason: string): string | null => findCode(reason.replaceAll(/(?<=.)(?=[A-Z])/g, "_"))?.row.fix ?? null;

/** Only whether somebody listens: a server is judged by the daemon that uses it. */
async function databaseCheck(databaseUrl: string | null): Promise<HealthCheck> {
  if (databaseUrl === null) return fine("database", "embedded; the daemon starts it");
  const url = new URL(databaseUrl);
  const host = decodeURIComponent(url.hostname) || "localhost";
  const port = Number(url.port === "" ? 5432 : url.port);
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, timeout: 5000 });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", end(true)).on("error", end(false)).on("timeout", end(false));
  });
  const where = `${host}:${port}`;
  return answers
    ? fine("database", `somebody listens at ${where}`)
    : fail("database", `nobody answers at ${where}`, "start it, or correct DATABASE_URL");
}

const maxSkewMs = 5000;

function skewCheck(header: string | null, now: Date): HealthCheck {
  const theirs = header === null ? Number.NaN : Date.parse(header);
  if (Number.isNaN(theirs) || Math.abs(now.getTime() - theirs) > maxSkewMs)
    return warn(
      "clock of the daemon",
      `it says ${header ?? "nothing"}, here it is ${now.toISOString()}`,
      "set the clock",
    );
  return fine("clock of the daemon", "agrees");
}

/** A commit that is ahead of this clock would be refused (TRUST_CLOCK). */
const maxAheadSeconds = 300;
const oldestClock = Date.UTC(2026, 0, 1);

export function clockCheck(now: Date, newestCommitSeconds: number | null): HealthCheck {
  const text = now.toISOString();
  if (now.getTime() < oldestClock) return fail("clock", `${text} is before this program was made`, "set the clock");
  const ahead = newestCommitSeconds === null ? 0 : newestCommitSeconds - Math.floor(now.getTime() / 1000);
  return ahead > maxAheadSeconds
    ? fail("clock", `${text}; the newest spec commit is ${ahead} s ahead of it`, "set the clock")
    : fine("clock", text);
}

/** Pre-flight of the spec repository, its ref, and whether the site has its file. `newest` = committer time of the head. */
export function repositoryChecks(config: Config): {
  readonly checks: readonly HealthCheck[];
  readonly newest: number | null;
} {
  const { repository: at, specRef, site } = config;
  const findings = preflight(at);
  if (findings.length > 0)
    return { checks: findings.map(({ message, fix }) => fail("repository", message, fix)), newest: null };
  try {
    using repository = openRepository(at);
    const oid = repository.readRef(specRef);
    if (oid === null)
      return { checks: [fail("repository", `${at} has no ${specRef}`, "push it, or set spec.ref")], newest: null };
    const head = repository.readCommit(oid);
    const file = repository.entryAt(head.tree, `sites/${site}.yaml`);
    const siteCheck =
      file === null
        ? fail("site", `${specRef} has no sites/${site}.yaml: nothing would run`, `commit sites/${site}.yaml`)
        : fine("site", site);
    return {
      checks: [fine("repository", `${at}, ${specRef} at ${oid.slice(0, 12)}`), siteCheck],
      newest: head.committer.seconds,
    };
  } catch (error) {
    const { message } = faultOf(error);
    return { checks: [fail("repository", message, `git -C ${at} fsck`)], newest: null };
  }
}

const mebibyte = 1024 * 1024;

/** Free space where the data directory lies, or would. */
export function diskCheck(dataDir: string): HealthCheck {
  let at = path.resolve(dataDir);
  while (!existsSync(at) && at !== path.dirname(at)) at = path.dirname(at);
  if (!statSync(at).isDirectory()) return fail("disk", `${at} is no directory`, "use another --data");
  const { bavail, bsize } = statfsSync(at);
  return spaceCheck(dataDir, bavail * bsize);
}

export function spaceCheck(where: string, freeBytes: number): HealthCheck {
  const free = Math.floor(freeBytes / mebibyte);
  const detail = `${free} MiB free for ${where}`;
  if (free < 256) return fail("disk", detail, "free some space");
  return free < 2048 ? warn("disk", detail, "free some space") : fine("disk", detail);
}
