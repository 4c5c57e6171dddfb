import type { Clock } from "../base/index.ts";
import { createEgressBroker, dialAddress, resolveAddresses } from "../egress/index.ts";
import { confinedArgv, type HostKind, processArgv, type Tools } from "./host-argv.ts";
import { launchHost } from "./host-process.ts";
import type { HostSlots } from "./host-slots.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import { SandboxHost } from "./sandbox-host.ts";
import { seccompFilter } from "./seccomp.ts";
import type { Machine } from "./syscalls.ts";

export interface HostFactoryDeps {
  readonly clock: Clock;
  /** `n` random bytes. */
  readonly random: (n: number) => Uint8Array;
}

export interface HostFactoryOptions {
  readonly level: "confined" | "process";
  readonly machine: Machine;
  readonly tools: Tools;
  readonly runtime: NodeRuntime;
  readonly slots: HostSlots;
  readonly baselineBytes: number;
}

export type HostFactory = (kind: HostKind) => Promise<SandboxHost>;

const brokerLimits = { maxTunnels: 16, idleMs: 60_000, maxBytes: 1024 ** 3, recheckMs: 2000 };

/** Launches blank hosts at one level. A launched host is not yet ready. */
export function createHostFactory(deps: HostFactoryDeps, options: HostFactoryOptions): HostFactory {
  const isConfined = options.level === "confined";
  return async (kind) => {
    const slot = await options.slots.take();
    const argv = (isConfined ? confinedArgv : processArgv)({
      tools: options.tools,
      runtime: options.runtime,
      kind,
      baselineBytes: options.baselineBytes,
      ownUser: slot.uid !== null,
      brokerDir: kind.broker ? slot.brokerDir : null,
      scratchDir: isConfined ? null : slot.scratchDir,
    });
    const filter = isConfined ? seccompFilter({ machine: options.machine, broker: kind.broker }) : null;
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
