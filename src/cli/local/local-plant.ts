import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { type ArtifactStore, createArtifactStore } from "../../artifact/index.ts";
import { type Clock, systemClock } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import type { RecordRuntime } from "../../record/index.ts";
import {
  createSandboxHosts,
  type HostSystem,
  type SandboxFacts,
  type SandboxHosts,
  type SandboxLevel,
} from "../../sandbox/index.ts";
import { createLentSecrets, type LentSecrets } from "../../secret/index.ts";
import { createRedact } from "../../telemetry/index.ts";
import { versionText } from "../version.ts";
import { tooWeak } from "./weak-level.ts";

/** All that steps stand on besides their own run: real sandbox hosts, a compute pool, a store that goes with it. */
export interface LocalPlant extends AsyncDisposable {
  readonly clock: Clock;
  readonly hosts: Pick<SandboxHosts, "run" | "killAll" | "capacity">;
  readonly level: SandboxLevel;
  readonly facts: SandboxFacts;
  readonly compute: Compute;
  readonly artifacts: ArtifactStore;
  /** Folder of artifacts and logs, removed at the end unless it is kept. */
  readonly storeDir: string;
  readonly lent: LentSecrets;
  readonly runtime: RecordRuntime;
}

export interface LocalPlantOptions {
  /** Started; stays its owner's. */
  readonly compute: Compute;
  /** Level `process` will do: it stops accidents only. */
  readonly allowWeak: boolean;
  /** Default: the machine that we run on. */
  readonly system?: HostSystem;
  /** The store outlives the plant. */
  readonly keepStore: boolean;
  readonly warn: (message: string) => void;
}

/** Users of hosts where we are root: far from those of a daemon (uids.base and on), hardly those of another local run. */
const anyUsers = (): number => 62_000 + 64 * randomInt(54);

/** Fault LEVEL_TOO_WEAK, SANDBOX_UNAVAILABLE. About half a second: the canary runs in the real launcher each time. */
export async function openLocalPlant(options: LocalPlantOptions): Promise<LocalPlant> {
  const dir = openDirectory(options.keepStore);
  const close = async (hosts: SandboxHosts | null): Promise<void> => {
    await hosts?.stop();
    dir.remove();
  };
  let hosts: SandboxHosts | null = null;
  try {
    hosts = await openHosts(dir.path, options);
    if (hosts.capacity === 0) throw tooWeak(hosts.facts);
    await hosts.start();
    return await plantOn({ hosts, compute: options.compute, dir, close });
  } catch (error) {
    await close(hosts);
    throw error;
  }
}

interface Opened {
  readonly hosts: SandboxHosts;
  readonly compute: Compute;
  readonly dir: LocalDirectory;
  readonly close: (hosts: SandboxHosts) => Promise<void>;
}

async function plantOn({ hosts, compute, dir, close }: Opened): Promise<LocalPlant> {
  const lent = createLentSecrets(() => systemClock.monotonicMs());
  return {
    ...{ clock: systemClock, hosts, compute, lent, level: hosts.level, facts: hosts.facts, storeDir: dir.store },
    artifacts: await createArtifactStore({ root: dir.store, redact: createRedact(lent.literals) }),
    runtime: {
      orrery: versionText(),
      node: hosts.facts.node,
      tzdata: process.versions["tz"] ?? "unknown",
      level: hosts.level,
    },
    [Symbol.asyncDispose]: () => close(hosts),
  };
}

interface LocalDirectory {
  readonly path: string;
  readonly store: string;
  readonly remove: () => void;
}

/** Short, for sockets; as root the users of the hosts must pass. */
function openDirectory(keepStore: boolean): LocalDirectory {
  const dir = mkdtempSync("/tmp/orrery-l-");
  chmodSync(dir, 0o711);
  const store = path.join(dir, "store");
  mkdirSync(store, { mode: 0o700 });
  mkdirSync(path.join(dir, "state"), { mode: 0o711 });
  const below = keepStore ? ["sb", "state"].map((name) => path.join(dir, name)) : [dir];
  const remove = (): void => {
    process.off("exit", remove);
    for (const name of below) rmSync(name, { recursive: true, force: true });
  };
  // A second Ctrl-C ends the process without any of our ends.
  process.on("exit", remove);
  return { path: dir, store, remove };
}

function openHosts(dir: string, { allowWeak, system, warn }: LocalPlantOptions): Promise<SandboxHosts> {
  return createSandboxHosts(
    {
      clock: systemClock,
      random: (count) => randomBytes(count),
      log: { warn: (_fields, message) => warn(message) },
    },
    {
      // One run needs few hosts, and knows not yet of which kind: each is started when it is asked for.
      warm: 0,
      socketDir: dir,
      stateDir: path.join(dir, "state"),
      minLevel: allowWeak ? "process" : "confined",
      uidsBase: anyUsers(),
      ...(system === undefined ? {} : { system }),
    },
  );
}
