import type { Clock } from "../base/index.ts";
import { createEgressBroker, dialAddress, resolveAddresses } from "../egress/index.ts";
import { confinedArgv, type HostKind, processArgv } from "./host-argv.ts";
import { launchHost } from "./host-process.ts";
import type { HostSlots } from "./host-slots.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import { SandboxHost } from "./sandbox-host.ts";
import { seccompFilter } from "./seccomp.ts";
import type { Machine } from "./syscalls.ts";
import type { Tools } from "./tools.ts";

export interface HostFactoryDeps {
  readonly clock: Clock;
  /** `n` random bytes. */
  readonly random: (n: number) => Uint8Array;
}

/** What stands around a host: the seccomp filter is made for one machine. */
export type HostWall = { readonly level: "confined"; readonly machine: Machine } | { readonly level: "process" };

export interface HostFactoryOptions {
  readonly wall: HostWall;
  readonly tools: Tools;
  readonly runtime: NodeRuntime;
  readonly slots: HostSlots;
  /** null where it cannot be known: then nothing limits data. */
  readonly baselineBytes: number | null;
}

export type HostFactory = (kind: HostKind) => Promise<SandboxHost>;

const brokerLimits = { maxTunnels: 16, idleMs: 60_000, maxBytes: 1024 ** 3, recheckMs: 2000 };

/** Launches blank hosts at one level. A launched host is not yet ready. */
export function createHostFactory(deps: HostFactoryDeps, options: HostFactoryOptions): HostFactory {
  const { wall } = options;
  return async (kind) => {
    const slot = await options.slots.take();
    const argv = (wall.level === "confined" ? confinedArgv : processArgv)({
      tools: options.tools,
      runtime: options.runtime,
      kind,
      baselineBytes: options.baselineBytes,
      ownUser: slot.uid !== null,
      brokerDir: kind.broker ? slot.brokerDir : null,
      scratchDir: wall.level === "confined" ? null : slot.scratchDir,
    });
    const filter = wall.level === "confined" ? seccompFilter({ machine: wall.machine, broker: kind.broker }) : null;
    return new SandboxHost({
      process: launchHost({ argv, filter, uid: slot.uid, workDir: slot.scratchDir }),
      kind,
      broker: kind.broker
        ? createEgressBroker(
            { clock: deps.clock, resolve: resolveAddresses, dial: dialAddress },
            { ...brokerLimits, socketPath: `${slot.brokerDir}/broker.sock`, owner: slot.uid },
          )
        : null,
      release: () => slot.release(),
      newId: () => Buffer.from(deps.random(16)).toString("hex"),
    });
  };
}
