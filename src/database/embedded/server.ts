import type { ChildProcess } from "node:child_process";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "../../base/index.ts";
import type { Logger } from "../../telemetry/index.ts";
import { findNative, placeBinaries } from "./binaries.ts";
import { ensureCluster, majorOf, pathOfFd } from "./cluster.ts";
import { isReachable, type ServerIdentity, serverIdentity } from "./identity.ts";
import { dropStalePostmaster, dropStaleSocket, isAlive, readPostmaster } from "./postmaster.ts";
import { type ServerSettings, serverSettings } from "./settings.ts";
import { guardAdopted, spawnGuarded } from "./watchdog.ts";

const startDeadlineMs = 60_000;
const socketName = "/.s.PGSQL.5432";
const maxSocketPathBytes = 107;

export interface EmbeddedOptions {
  /** Holds pgdata/, postgres.log and, where needed, pgdist/. */
  readonly dataDir: string;
  /** Holds the socket, in a directory of its own; short (sun_path), reachable for the server's uid. */
  readonly runDir: string;
  /** Over the defaults; only tests change durability. */
  readonly settings?: ServerSettings;
}

export interface EmbeddedServer {
  readonly socketDir: string;
  readonly pgdata: string;
  readonly pid: number;
  readonly major: number;
  /** An earlier daemon's server, still running. */
  readonly adopted: boolean;
  /** Fast shutdown; resolves when the server is down. */
  stop(): Promise<void>;
}

interface Place {
  readonly pgdata: string;
  readonly socketDir: string;
  readonly logFile: string;
  readonly binDir: string;
  readonly who: ServerIdentity | null;
  readonly settings: ServerSettings;
}

/**
 * Starts the embedded PostgreSQL, or adopts the one that runs in this data directory. Unix socket only; as root it runs
 * under another uid. It stops when this process dies. Faults DATABASE_UNFIT (cannot ever) and DATABASE_UNAVAILABLE.
 */
export async function startEmbeddedServer(options: EmbeddedOptions, log: Logger): Promise<EmbeddedServer> {
  const place = prepare(options);
  const earlier = await waitForEarlier(place.pgdata);
  if (earlier !== null) {
    log.info({ pid: earlier }, "adopted the database server of an earlier start");
    return runningServer(place, { pid: earlier, adopted: true, child: guardAdopted(earlier, place.pgdata, place.who) });
  }
  ensureCluster(place.pgdata, place.binDir, place.who);
  dropStaleSocket(place.socketDir);
  const child = spawnServer(place);
  const pid = await waitUntilReady(place, child);
  log.info({ pid }, "database server started");
  return runningServer(place, { pid, adopted: false, child });
}

function prepare({ dataDir, runDir, settings }: EmbeddedOptions): Place {
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  mkdirSync(runDir, { recursive: true, mode: 0o755 });
  const pgdata = join(realpathSync(dataDir), "pgdata");
  const socketDir = join(realpathSync(runDir), "pg");
  if (Buffer.byteLength(socketDir) + socketName.length > maxSocketPathBytes) {
    throw new Fault("DATABASE_UNFIT", `the socket path ${socketDir}${socketName} is longer than 107 bytes`);
  }
  const who = serverIdentity(pgdata);
  mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  chmodSync(socketDir, 0o700);
  if (who !== null) chownSync(socketDir, who.uid, who.gid);
  const farms = [join(realpathSync(dataDir), "pgdist"), join(realpathSync(runDir), "pgdist")];
  const binDir = placeBinaries(findNative(), farms, who);
  const logFile = join(realpathSync(dataDir), "postgres.log");
  return { pgdata, socketDir, logFile, binDir, who, settings: { ...serverSettings(majorOf(binDir)), ...settings } };
}

/** The pid of a ready server of an earlier life, or null once there surely is none. */
async function waitForEarlier(pgdata: string): Promise<number | null> {
  const deadline = performance.now() + startDeadlineMs;
  for (let found = readPostmaster(pgdata); found !== null; found = readPostmaster(pgdata)) {
    if (performance.now() > deadline) throw new Fault("DATABASE_UNAVAILABLE", "an earlier database server hangs");
    // Starting or stopping: a start right after a kill -9 meets a server that is still going down.
    if (isAlive(found, pgdata)) {
      if (found.status === "ready") return found.pid;
    } else dropStalePostmaster(pgdata);
    if (existsSync(join(pgdata, "postmaster.pid"))) await wait(25);
  }
  return null;
}

function spawnServer({ pgdata, socketDir, logFile, binDir, who, settings }: Place): ChildProcess {
  const fds = [openSync(logFile, "a", 0o600), openSync(pgdata, "r"), openSync(socketDir, "r")] as const;
  const hidden = !isReachable(pgdata, who) || !isReachable(socketDir, who);
  const args = [
    ...["-D", hidden ? pathOfFd(3, pgdata, who) : pgdata],
    ...["-k", hidden ? pathOfFd(4, socketDir, who) : socketDir, "-p", "5432"],
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  try {
    return spawnGuarded({
      command: join(binDir, "postgres"),
      args,
      logFd: fds[0],
      directories: [fds[1], fds[2]],
      who,
    });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

async function waitUntilReady({ pgdata, logFile }: Place, child: ChildProcess): Promise<number> {
  const deadline = performance.now() + startDeadlineMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new Fault("DATABASE_UNAVAILABLE", "the embedded PostgreSQL did not start; see postgres.log", {
        cause: new Error(tailOf(logFile)),
      });
    }
    const found = readPostmaster(pgdata);
    if (found?.status === "ready" && isAlive(found, pgdata)) return found.pid;
    if (performance.now() > deadline) throw new Fault("DATABASE_UNAVAILABLE", "the embedded PostgreSQL start hangs");
    await wait(5);
  }
}

function tailOf(logFile: string): string {
  return readFileSync(logFile, "utf8").slice(-4000);
}

function runningServer(
  { pgdata, socketDir, binDir }: Place,
  { pid, adopted, child }: { readonly pid: number; readonly adopted: boolean; readonly child: ChildProcess },
): EmbeddedServer {
  const stop = async (): Promise<void> => {
    const deadline = performance.now() + startDeadlineMs;
    const runs = (): boolean => {
      const found = readPostmaster(pgdata);
      return found?.pid === pid && isAlive(found, pgdata);
    };
    if (runs()) process.kill(pid, "SIGINT");
    while (runs()) {
      if (performance.now() > deadline)
        throw new Fault("DATABASE_UNAVAILABLE", "the embedded PostgreSQL does not stop");
      await wait(5);
    }
    // Ends a guard of an adopted server too: its server is gone, so it kills nobody.
    child.stdin?.destroy();
  };
  return { socketDir, pgdata, pid, major: majorOf(binDir), adopted, stop };
}
