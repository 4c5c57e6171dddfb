import type { HostConfig } from "./control-frame.ts";
import { type LimitParts, limitArgv } from "./host-limits.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import type { Tools } from "./tools.ts";

/** What is fixed when a host is launched. */
export interface HostKind {
  readonly broker: boolean;
  /** Class of the heap that this host may be bound to, bytes. */
  readonly memoryBytes: number;
  readonly scratchBytes: number;
}

export interface ArgvParts extends Omit<LimitParts, "limiter"> {
  readonly tools: Tools;
  readonly runtime: NodeRuntime;
  /** Read-only directory in which the broker's socket appears at binding. */
  readonly brokerDir: string | null;
  /** Level `process` only: bubblewrap makes its own. */
  readonly scratchDir: string | null;
}

const filterFd = 4;
const infoFd = 5;
const inside = { node: "/app/node", app: "/app/host", scratch: "/tmp", broker: "/run/egress" };

/** The whole command line of a host at `confined`; fd 3 is the control pipe. */
export function confinedArgv(parts: ArgvParts): string[] {
  const { runtime, tools, kind } = parts;
  const config: HostConfig = {
    appDir: inside.app,
    scratchDir: inside.scratch,
    brokerSocket: parts.brokerDir === null ? null : `${inside.broker}/broker.sock`,
  };
  return [
    ...limitArgv({ ...parts, limiter: tools.limiter }),
    tools.bwrap ?? "bwrap",
    ...["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1"],
    ...["--clearenv", "--setenv", "TZ", "UTC"],
    ...runtime.libraries.flatMap(([source, target]) => ["--ro-bind", source, target]),
    ...["--ro-bind", runtime.node, inside.node, "--ro-bind", runtime.appDir, inside.app],
    ...(parts.brokerDir === null ? [] : ["--ro-bind", parts.brokerDir, inside.broker]),
    // No --proc: its mem and environ files would be ways around the permission model.
    ...["--dev", "/dev", "--perms", "1777", "--size", String(kind.scratchBytes), "--tmpfs", inside.scratch],
    ...["--chdir", inside.scratch, "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"],
    ...["--remount-ro", "/", "--cap-drop", "ALL", "--seccomp", String(filterFd), "--info-fd", String(infoFd), "--"],
    inside.node,
    ...nodeFlags(inside.app, inside.scratch),
    `${inside.app}/host.cjs`,
    JSON.stringify(config),
  ];
}

/** A host that is only a process: stops accidents. */
export function processArgv(parts: ArgvParts): string[] {
  const { runtime, tools } = parts;
  const scratchDir = parts.scratchDir ?? "/nonexistent";
  const config: HostConfig = {
    appDir: runtime.appDir,
    scratchDir,
    brokerSocket: parts.brokerDir === null ? null : `${parts.brokerDir}/broker.sock`,
  };
  return [
    ...(tools.setpriv === null ? [] : [tools.setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"]),
    ...limitArgv({ ...parts, limiter: tools.limiter }),
    runtime.node,
    ...nodeFlags(runtime.appDir, scratchDir),
    `${runtime.appDir}/host.cjs`,
    JSON.stringify(config),
  ];
}

function nodeFlags(appDir: string, scratchDir: string): string[] {
  const permission = Number(process.versions.node.split(".")[0]) >= 23 ? "--permission" : "--experimental-permission";
  return [
    permission,
    "--no-warnings",
    "--allow-worker",
    `--allow-fs-read=${appDir}/*`,
    `--allow-fs-read=${scratchDir}/*`,
    `--allow-fs-write=${scratchDir}/*`,
    "--disable-proto=throw",
    // The host's own Function, should a realm ever reach it, makes no code either.
    "--disallow-code-generation-from-strings",
    `--max-old-space-size=128`,
  ];
}
