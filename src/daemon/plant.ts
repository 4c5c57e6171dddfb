import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type ArtifactStore, createArtifactStore } from "../artifact/index.ts";
import { type Clock, Gate } from "../base/index.ts";
import { type Compute, createCompute } from "../compute/index.ts";
import type { Config } from "../config/index.ts";
import { type Database, openDatabase } from "../database/index.ts";
import { createGitWriter, type GitRepository, type GitWriter, openRepository } from "../git/index.ts";
import type { RecordRuntime } from "../record/index.ts";
import { createSandboxHosts, type SandboxHosts, type SandboxLevel } from "../sandbox/index.ts";
import {
  ageKeyFileOf,
  createSecretSources,
  ensureSiteIdentity,
  type LentSecrets,
  readSiteIdentity,
  type SecretSources,
} from "../secret/index.ts";
import { createPrivateKeyFile, createSignerClient, type SignerClient } from "../signer/index.ts";
import { createStore, type Store } from "../store/index.ts";
import { createRedact, type Logger } from "../telemetry/index.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { ServiceStack } from "./service-stack.ts";

/** Everything that engines and doors stand on, started. */
export interface Plant {
  readonly config: Config;
  readonly directory: DataDirectory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly gate: Gate;
  readonly database: Database;
  readonly store: Store;
  readonly repository: GitRepository;
  readonly auditRepository: GitRepository;
  readonly auditWriter: GitWriter;
  readonly signer: SignerClient;
  readonly hosts: SandboxHosts;
  readonly compute: Compute;
  readonly artifacts: ArtifactStore;
  /** Where values come from, and which of them steps hold now. */
  readonly secrets: { readonly sources: SecretSources; readonly lent: LentSecrets };
  readonly runtime: RecordRuntime;
}

export interface PlantInput {
  readonly config: Config;
  readonly directory: DataDirectory;
  readonly clock: Clock;
  readonly log: Logger;
  /** What `log` masks by. */
  readonly lent: LentSecrets;
  readonly version: string;
}

export const recorderKeyFileOf = (dataDir: string): string => path.join(dataDir, "signer", "recorder.key");

/** Made once per data directory; kept over restarts. */
export function ensureRecorderKey(dataDir: string, site: string): void {
  const file = recorderKeyFileOf(dataDir);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) createPrivateKeyFile(file, `audit@${site}`);
}

function openSecrets({ config, lent }: PlantInput): Plant["secrets"] {
  const { dataDir, credentialsDir } = config;
  const keyFile = ageKeyFileOf(dataDir);
  // Read at each use, so that a key that was restored or replaced counts without a restart.
  const identity = async (): Promise<string | null> => (await readSiteIdentity(keyFile))?.identity ?? null;
  return { sources: createSecretSources({ dataDir, credentialsDir, identity }), lent };
}

export async function openPlant(stack: ServiceStack, input: PlantInput): Promise<Plant> {
  const { config, directory, clock, log, version } = input;
  mkdirSync(directory.below("store"), { recursive: true, mode: 0o700 });
  const gate = new Gate();
  const repository = openRepository(config.repository);
  stack.onStop("repository", () => repository[Symbol.dispose]());
  const auditRepository = config.audit.repository === null ? repository : openRepository(config.audit.repository);
  ensureRecorderKey(config.dataDir, config.site);
  await ensureSiteIdentity(ageKeyFileOf(config.dataDir));
  const compute = createCompute({ threads: 2 });
  // The slow ones side by side: initdb and the canary do not need each other.
  const [database, hosts, signer] = await Promise.all([
    stack.open(
      "database",
      () =>
        openDatabase(
          { url: config.databaseUrl, dataDir: directory.below("database"), runDir: directory.runDir },
          { log, clock },
        ),
      ({ server }) => `PostgreSQL ${server.major} (${server.kind})`,
    ),
    stack.open("sandbox", () => openSandbox(input), sandboxDetail),
    stack.start(createSignerClient(signerOptions(input)), ({ publicKey }) => publicKey.fingerprint),
    stack.start(compute),
  ]);
  stack.onStop("database", () => database.close());
  await stack.start(hosts);
  if (hosts.capacity === 0)
    gate.close(
      "LevelTooWeak",
      `sandbox level ${hosts.level} is below ${config.sandbox.minLevel}: ${hosts.facts.reason ?? ""}`,
    );
  return {
    ...{ config, directory, clock, log, gate, database, repository, auditRepository, signer, hosts, compute },
    store: createStore(database, { clock, log }),
    auditWriter: createGitWriter(auditRepository),
    secrets: openSecrets(input),
    artifacts: await createArtifactStore({ root: directory.below("store"), redact: createRedact() }),
    runtime: {
      orrery: version,
      node: hosts.facts.node,
      tzdata: process.versions["tz"] ?? "unknown",
      level: hosts.level,
    },
  };
}

function signerOptions({ config, directory, clock }: PlantInput) {
  const uid = process.getuid?.() === 0 ? config.uidsBase : null;
  return {
    site: config.site,
    keyFile: recorderKeyFileOf(config.dataDir),
    stateFile: directory.below("signer", "state.json"),
    uid,
    clock,
  };
}

function openSandbox({ config, directory, clock, log }: PlantInput): Promise<SandboxHosts> {
  const { minLevel, allowWeak, hosts } = config.sandbox;
  const lowest: SandboxLevel = allowWeak?.level ?? minLevel;
  const stateDir = directory.below("sandbox");
  mkdirSync(stateDir, { recursive: true, mode: 0o711 });
  return createSandboxHosts(
    { clock, log, random: (count) => randomBytes(count) },
    {
      ...(hosts === null ? {} : { hosts }),
      warm: 1,
      socketDir: directory.runDir,
      stateDir,
      minLevel: lowest,
      uidsBase: config.uidsBase + 1,
    },
  );
}

function sandboxDetail({ level, facts }: SandboxHosts): string {
  const stopped = facts.probes.filter((probe) => probe.stopped).length;
  return `${level}, ${stopped} of ${facts.probes.length} canary probes stopped`;
}

/** Text of the pinned signers file, or null. */
export function pinnedSigners(config: Config): string | null {
  return config.pinnedSigners === null ? null : readFileSync(config.pinnedSigners, "utf8");
}
