import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createArtifactStore } from "../../src/artifact/index.ts";
import { type Clock, Gate, type Service, systemClock } from "../../src/base/index.ts";
import { type Compute, createCompute } from "../../src/compute/index.ts";
import type { Config } from "../../src/config/index.ts";
import type { DaemonEvent } from "../../src/daemon/index.ts";
import type { Plant } from "../../src/daemon/plant.ts";
import { SiteView } from "../../src/daemon/site-view.ts";
import { type Engines, wireEngines } from "../../src/daemon/wire.ts";
import { connectDatabase, type Database } from "../../src/database/index.ts";
import { createGitWriter, type DurableFs, openRepository } from "../../src/git/index.ts";
import { type AuditReport, auditHistory, type RunRecord, verifyAudit } from "../../src/record/index.ts";
import { auditRef } from "../../src/recorder/index.ts";
import type { SandboxHosts } from "../../src/sandbox/index.ts";
import { createRunStarter, type RunStarter } from "../../src/scheduler/index.ts";
import { ageKeyFileOf, createLentSecrets, createSecretSources, readSiteIdentity } from "../../src/secret/index.ts";
import { nodeTrustCrypto, type SignerClient } from "../../src/signer/index.ts";
import { createStore } from "../../src/store/index.ts";
import { createMetrics, type Logger, type Metrics } from "../../src/telemetry/index.ts";
import { recordCheck, recorderKey, signersTextOf, testRuntime } from "./audit-fixtures.ts";
import { FakeHosts } from "./fake-hosts.ts";
import { FakeSigner } from "./fake-signer.ts";
import { type ScratchDir, scratchDir } from "./git-fixtures.ts";
import { silentLog } from "./silent-log.ts";
import { type FileChanges, SpecCommits } from "./spec-commits.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

export const worldSite = "hq";
export const never = new AbortController().signal;

export interface WorldOptions {
  readonly clock?: Clock;
  /** On top of what every spec repository has. */
  readonly files: FileChanges;
}

export interface LifeOptions {
  readonly clock?: Clock;
  /** Host of another socket directory: a wire proxy. */
  readonly socketDir?: string;
  /** The disk under the audit writer. */
  readonly fs?: DurableFs;
  /** The audit repository; default = the spec repository. */
  readonly repository?: string;
  readonly signer?: FakeSigner;
  readonly log?: Logger;
  /** PostgreSQL's clock minus ours, ms, where the clock is a fake one; default = as it is. */
  readonly skewMs?: () => number;
}

/** A record of any kind, with the members of a run's. */
export type AnyRecord = Omit<RunRecord, "kind"> & { readonly kind: string };

type EngineName = "recorder" | "worker" | "reconciler" | "watcher" | "scheduler" | "housekeeping";

/**
 * What outlives a daemon (database, spec repository, signer's state, artifacts), and any number of lives of its engines
 * on it: the wiring is the daemon's own, only the sandbox is in memory. `await using world = await openDaemonWorld(...)`.
 */
export class DaemonWorld implements AsyncDisposable {
  readonly db: TestDatabase;
  readonly spec: SpecCommits;
  readonly signer = new FakeSigner(worldSite, recorderKey);
  readonly clock: Clock;
  readonly #scratch: ScratchDir;
  readonly #compute: Compute;
  readonly #lives: DaemonLife[] = [];

  constructor(parts: Pick<DaemonWorld, "db" | "spec" | "clock"> & { scratch: ScratchDir; compute: Compute }) {
    this.db = parts.db;
    this.spec = parts.spec;
    this.clock = parts.clock;
    this.#scratch = parts.scratch;
    this.#compute = parts.compute;
  }

  /** A daemon's engines, wired and not yet started. */
  async live(options: LifeOptions = {}): Promise<DaemonLife> {
    const clock = options.clock ?? this.clock;
    const database = await this.#connect(options.socketDir, clock);
    const { skewMs } = options;
    if (skewMs !== undefined) Object.assign(database, { clockSkewMs: () => Promise.resolve(skewMs()) });
    const root = this.#scratch.join("store");
    mkdirSync(root, { recursive: true });
    const log = options.log ?? silentLog;
    const repository = openRepository(this.spec.dir);
    const auditRepository = options.repository === undefined ? repository : openRepository(options.repository);
    const hosts = new FakeHosts();
    hosts.plugins.set("core.log", ({ message }) => ({ message: message ?? "" }));
    const plant: Plant = {
      ...{ clock, log, database, repository, auditRepository, compute: this.#compute, gate: new Gate() },
      config: configOf(this.#scratch, this.spec.dir),
      directory: directoryOf(this.#scratch),
      store: createStore(database, { clock, log }),
      auditWriter: createGitWriter(auditRepository, options.fs === undefined ? {} : { fs: options.fs }),
      signer: serviceOf("signer", options.signer ?? this.signer) as unknown as SignerClient,
      hosts: asSandbox(hosts),
      artifacts: await createArtifactStore({ root, redact: (text) => text }),
      secrets: {
        sources: createSecretSources({
          ...{ dataDir: this.#scratch.path, credentialsDir: null },
          identity: async () => (await readSiteIdentity(ageKeyFileOf(this.#scratch.path)))?.identity ?? null,
        }),
        lent: createLentSecrets(() => clock.monotonicMs()),
      },
      runtime: testRuntime,
    };
    const life = new DaemonLife(plant, hosts);
    this.#lives.push(life);
    return life;
  }

  /** As an operator without a daemon would see it. */
  verify(dir = this.spec.dir): AuditReport {
    using repository = openRepository(dir);
    const head = repository.readRef(auditRef(worldSite));
    const commits = head === null ? [] : auditHistory(repository, head);
    return verifyAudit(
      { ...repository, commits },
      {
        ...{ crypto: nodeTrustCrypto, check: recordCheck, site: worldSite, witness: null },
        signersText: signersTextOf(worldSite),
      },
    );
  }

  /** Sealed records of a tenant in their order. */
  async records<T = AnyRecord>(tenant: string): Promise<readonly T[]> {
    const rows = await this.db.admin<{ line: string }>("select line from record where tenant_id = $1 order by seq", [
      tenant,
    ]);
    return rows.map(({ line }) => JSON.parse(line) as T);
  }

  /** Bodies that wait to be sealed. */
  async waiting<T = AnyRecord>(tenant: string): Promise<readonly T[]> {
    const rows = await this.db.admin<{ body: string }>(
      "select body::text from outbox where tenant_id = $1 order by record_id",
      [tenant],
    );
    return rows.map(({ body }) => JSON.parse(body) as T);
  }

  /** Rows and files that a finished daemon must not leave: what is not empty, by name. */
  async leftovers(dir = this.spec.dir): Promise<Readonly<Record<string, unknown>>> {
    const [rows = {}] = await this.db.admin<Record<string, number>>(
      `select (select count(*)::int from run_live) as run_live, (select count(*)::int from step_live) as step_live,
         (select count(*)::int from outbox) as outbox, (select count(*)::int from batch where state <> 'done') as open_batches,
         (select count(*)::int from run r where not exists (select 1 from record c where c.tenant_id = r.tenant_id
            and c.record_id = 'run/' || r.run_id)) as runs_without_record`,
    );
    const files = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter(isLeftover);
    const staged = readdirSync(this.#scratch.join("store"), { recursive: true, encoding: "utf8" }).filter((name) =>
      /staging\/./.test(name),
    );
    return Object.fromEntries(
      Object.entries({ ...rows, files, staged }).filter(([, found]) =>
        Array.isArray(found) ? found.length > 0 : found,
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#lives.map((life) => life[Symbol.asyncDispose]()));
    await this.#compute.stop();
    await this.db[Symbol.asyncDispose]();
    this.#scratch[Symbol.dispose]();
  }

  #connect(socketDir: string | undefined, clock: Clock): Promise<Database> {
    const { targets } = this.db;
    const through = <T extends object>(target: T): T =>
      socketDir === undefined ? target : { ...target, host: socketDir };
    const to = { ...targets, admin: through(targets.admin), app: through(targets.app) };
    return connectDatabase(to, { log: silentLog, clock });
  }
}

/** A lock, a temporary object, a half-written ref: whatever a writer that died may leave in a repository. */
export const isLeftover = (name: string): boolean => /\.lock$|tmp_|\.new$|\.tmp/.test(name);

/** One life of the engines. Started by name, so that a test has nothing running that it does not look at. */
export class DaemonLife implements AsyncDisposable {
  readonly plant: Plant;
  readonly hosts: FakeHosts;
  readonly metrics: Metrics = createMetrics();
  readonly view: SiteView;
  readonly engines: Engines;
  readonly starter: RunStarter;
  readonly events: DaemonEvent[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #started: Service[] = [];

  constructor(plant: Plant, hosts: FakeHosts) {
    this.plant = plant;
    this.hosts = hosts;
    this.view = new SiteView(plant, "0.0.0-test");
    const emit = (event: DaemonEvent): void => {
      this.events.push(event);
      for (const listener of [...this.#listeners]) listener();
    };
    this.engines = wireEngines({ plant, view: this.view, metrics: this.metrics, emit, recorder: {} });
    this.starter = createRunStarter(this.engines.starting, { site: worldSite, runtime: plant.runtime });
  }

  async start(...names: readonly EngineName[]): Promise<this> {
    for (const name of names) {
      const service = this.engines.services.find((each) => each.name.startsWith(name === "watcher" ? "ref" : name));
      if (service === undefined)
        throw new Error(`no engine ${name}: ${this.engines.services.map((each) => each.name).join(" ")}`);
      this.#started.push(service);
      await service.start();
    }
    return this;
  }

  wake(): void {
    for (const engine of this.engines.services as readonly { wake?: () => void }[]) engine.wake?.();
  }

  /** Resolves with the first event, past or to come, that `matches`. */
  event<T extends DaemonEvent>(matches: (event: DaemonEvent) => event is T): Promise<T>;
  event(matches: (event: DaemonEvent) => boolean): Promise<DaemonEvent>;
  event(matches: (event: DaemonEvent) => boolean): Promise<DaemonEvent> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.events.find(matches);
        if (found === undefined) return;
        this.#listeners.delete(look);
        resolve(found);
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** A pass at or after `revision`. */
  async applied(revision: string): Promise<void> {
    await this.event((event) => event.kind === "pass" && event.result.revision === revision);
  }

  async settled(runId: string): Promise<string> {
    const event = await this.event((each) => each.kind === "run_settled" && each.runId === runId);
    return event.kind === "run_settled" ? event.status : "";
  }

  /** Starts a run by hand and answers its id. */
  async run(tenant: string, dagId: string, key: string | null = null): Promise<string> {
    const request = { tenant, dagId, key, inputs: {}, rationale: null, subject: "omar@hq.example" };
    const answer = await this.starter.start(request);
    if (answer.kind === "refused") throw new Error(`refused: ${answer.code} ${answer.message ?? ""}`);
    return answer.runId;
  }

  async stop(): Promise<void> {
    for (const service of this.#started.splice(0).reverse()) await service.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.plant.database.close();
    this.plant.repository[Symbol.dispose]();
  }
}

export async function openDaemonWorld({ clock = systemClock, files }: WorldOptions): Promise<DaemonWorld> {
  const scratch = scratchDir();
  const compute = createCompute({ threads: 1 });
  const [db, spec] = await Promise.all([
    createTestDatabase({ clock }),
    SpecCommits.create(scratch.join("specs.git"), { clock, site: worldSite, files }),
    compute.start(),
  ]);
  return new DaemonWorld({ db, spec, clock, scratch, compute });
}

function configOf(scratch: ScratchDir, repository: string): Config {
  return {
    ...{ site: worldSite, specRef: "refs/heads/main", repository, dataDir: scratch.path, credentialsDir: null },
    http: { host: "127.0.0.1", port: 0 },
    metrics: { host: "127.0.0.1", port: 0 },
    audit: { repository: null, maxLagMs: 24 * 3_600_000 },
    sandbox: { minLevel: "process", allowWeak: null, hosts: null },
    ...{ uidsBase: 61_000, databaseUrl: null, pinnedSigners: null },
  };
}

const directoryOf = (scratch: ScratchDir): Plant["directory"] => ({
  root: scratch.path,
  runDir: scratch.path,
  below: (...parts) => join(scratch.path, ...parts),
  writeDaemonFile: () => undefined,
  [Symbol.dispose]: () => undefined,
});

const still = { start: () => Promise.resolve(), stop: () => Promise.resolve() };
const serviceOf = (name: string, inner: object): object => Object.assign(inner, { name, ...still });

function asSandbox(hosts: FakeHosts): SandboxHosts {
  const facts = { level: "confined", probes: [], reason: null, fix: null, node: process.versions.node };
  return Object.assign(hosts, { name: "sandbox", level: "confined", facts, ...still }) as unknown as SandboxHosts;
}
