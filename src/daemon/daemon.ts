import { type ApiDeps, type ApiServer, createApiServer, createMetricsServer, type SiteStatus } from "../api/index.ts";
import { type Clock, systemClock } from "../base/index.ts";
import type { Config } from "../config/index.ts";
import { createTokenVerifier, openApiKey } from "../identity/index.ts";
import type { RecorderOptions } from "../recorder/index.ts";
import { createRunStarter } from "../scheduler/index.ts";
import { createLentSecrets, type LentSecrets } from "../secret/index.ts";
import { createMetrics, createRedact, type Logger } from "../telemetry/index.ts";
import type { Emit } from "./daemon-event.ts";
import { openDataDirectory } from "./data-directory.ts";
import { openPlant, type Plant } from "./plant.ts";
import { ServiceStack } from "./service-stack.ts";
import { SiteView } from "./site-view.ts";
import { type Engines, wireEngines } from "./wire.ts";

export interface DaemonOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  /** What `log` masks by; left out = `log` knows no secrets, as in tests that lend none. */
  readonly lent?: LentSecrets;
  readonly emit: Emit;
  readonly clock?: Clock;
  /** Only the demo: where a port is taken, any free one. */
  readonly anyPort?: boolean;
  readonly recorder?: Partial<Pick<RecorderOptions, "maxWaitMs" | "maxRecords" | "burst" | "refillMs">>;
}

export interface Daemon {
  readonly url: string;
  readonly metricsUrl: string;
  readonly plant: Plant;
  status(): SiteStatus;
  /** Seals all that waits. */
  seal(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** The whole way up: data directory -> plant -> engines -> doors. Stopped in reverse, also when a start fails half-way. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const stack = new ServiceStack(options.emit);
  try {
    return await start(stack, options);
  } catch (error) {
    await stack.stopAll().catch((failure: unknown) => {
      options.log.error({ error: failure }, "a part did not stop after a failed start");
    });
    throw error;
  }
}

async function start(stack: ServiceStack, options: DaemonOptions): Promise<Daemon> {
  const { config, version, log, emit } = options;
  const directory = openDataDirectory(config.dataDir);
  stack.onStop("data directory", () => directory[Symbol.dispose]());
  const clock = options.clock ?? systemClock;
  const lent = options.lent ?? createLentSecrets(() => clock.monotonicMs());
  const plant = await openPlant(stack, { config, directory, clock, log, lent, version });
  const view = new SiteView(plant, version);
  const metrics = createMetrics();
  const firstPass = listenForPass(emit);
  const engines = wireEngines({ plant, view, metrics, emit: firstPass.emit, recorder: options.recorder ?? {} });
  for (const service of engines.services) await stack.start(service);
  // Who starts a run at once must not meet a site that does not know yet what it may run.
  await within(firstPassWaitMs, firstPass.ended, plant.clock);
  const doors = await doorDeps(plant, { view, engines, metrics });
  const api = await startDoor(
    stack,
    createApiServer(doors, { listen: config.http, anyPort: options.anyPort ?? false }),
  );
  const scrape = await startDoor(
    stack,
    createMetricsServer(doors, { listen: config.metrics, anyPort: options.anyPort ?? false }),
  );
  directory.writeDaemonFile({ pid: process.pid, url: api.url, metricsUrl: scrape.url });
  log.info({ site: config.site, url: api.url, sandbox: plant.hosts.level }, "the daemon is up");
  return {
    url: api.url,
    metricsUrl: scrape.url,
    plant,
    status: () => view.status(),
    seal: (signal) => engines.recorder.flush(signal),
    stop: () => stack.stopAll(),
  };
}

/** A pass that takes longer (a first read of a large repository, a database that is away) must not hide health. */
const firstPassWaitMs = 10_000;

async function within(ms: number, ended: Promise<void>, clock: Clock): Promise<void> {
  const waiting = new AbortController();
  await Promise.race([ended, clock.sleep(ms, waiting.signal).catch(() => undefined)]);
  waiting.abort();
}

function listenForPass(emit: Emit): { readonly emit: Emit; readonly ended: Promise<void> } {
  let end: (() => void) | null = null;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    ended,
    emit: (event) => {
      emit(event);
      if (event.kind === "pass") end?.();
    },
  };
}

const startDoor = (stack: ServiceStack, server: ApiServer): Promise<ApiServer> => stack.start(server, ({ url }) => url);

interface Inside {
  readonly view: SiteView;
  readonly engines: Engines;
  readonly metrics: ApiDeps["metrics"];
}

async function doorDeps(plant: Plant, { view, engines, metrics }: Inside): Promise<ApiDeps> {
  const { config, store, clock, log, artifacts, runtime } = plant;
  const { jwks } = await openApiKey(config.dataDir, true);
  return {
    ...{ ledger: store.ledger, metrics, clock, log, redact: createRedact(plant.secrets.lent.literals) },
    breakGlass: engines.breakGlass,
    history: engines.history,
    runs: createRunStarter(engines.starting, { site: config.site, runtime }),
    site: () => view.status(),
    tenants: () => view.tenants,
    verifier: createTokenVerifier(jwks, clock),
    readLog: async (tenant, sha256) => {
      const parts: Uint8Array[] = [];
      for await (const part of artifacts.readLog(tenant, sha256)) parts.push(part);
      return Buffer.concat(parts).toString("utf8");
    },
  };
}
