import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { Fault } from "../base/index.ts";

export interface HostProcess {
  readonly control: Duplex;
  /** stdout and stderr. */
  readonly output: readonly Readable[];
  /** The pid of node itself on this machine; resolves before the first frame. */
  readonly nodePid: Promise<number>;
  /** Resolves when the process is gone and reaped. */
  readonly exited: Promise<HostExit>;
  kill(): void;
}

export interface HostExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The first part of stderr: a launcher says there why it did not start. */
  readonly stderr: string;
}

export interface LaunchOrder {
  readonly argv: readonly string[];
  /** The seccomp program; null at level `process`. */
  readonly filter: Uint8Array | null;
  /** An empty directory of the host's own. */
  readonly workDir: string;
  /** The host's own user and group; null = ours. */
  readonly uid: number | null;
}

/** Starts one host. stdio: 0 nothing, 1 and 2 capped by the reader, 3 control; 4 filter in, 5 bubblewrap's pid out. */
export function launchHost(order: LaunchOrder): HostProcess {
  const [command, ...args] = order.argv;
  const child = spawn(command ?? "", args, {
    // Never 'ipc': a step that writes junk into it throws in this process.
    stdio: ["ignore", "pipe", "pipe", "pipe", ...(order.filter === null ? [] : (["pipe", "pipe"] as const))],
    env: { TZ: "UTC" },
    // Never "/": Node 24 lets a worker thread read below the directory that it was started in.
    cwd: order.workDir,
    ...(order.uid === null ? {} : { uid: order.uid, gid: order.uid }),
  });
  const stdio = child.stdio as unknown as readonly (Duplex | undefined)[];
  const [, , , , filter, info] = stdio;
  // A pipe that breaks because the host died is told by its exit.
  for (const stream of stdio) stream?.on("error", () => undefined);
  if (order.filter !== null) filter?.end(order.filter);
  return {
    control: pipe(stdio, 3),
    output: [pipe(stdio, 1), pipe(stdio, 2)],
    nodePid: info === undefined ? Promise.resolve(child.pid ?? 0) : insidePid(info),
    exited: exitOf(child, stdio),
    kill: () => {
      child.kill("SIGKILL");
      // What was launched may not be bound to its launcher yet, and then outlives it: it ends when nobody holds this pipe.
      pipe(stdio, 3).destroy();
    },
  };
}

function pipe(stdio: readonly (Duplex | undefined)[], fd: number): Duplex {
  const stream = stdio[fd];
  if (stream === undefined) throw new Fault("SANDBOX_UNAVAILABLE", "a sandbox host got no pipes");
  return stream;
}

function insidePid(info: Duplex): Promise<number> {
  return new Promise((resolve) => {
    let text = "";
    info.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("utf8")).slice(0, 4096);
    });
    info.once("close", () => resolve(Number(/"child-pid":\s*(\d+)/.exec(text)?.[1] ?? 0)));
  });
}

/** How long the pipes of a dead process may be held by something that it left behind. */
const orphanMs = 2000;

function exitOf(child: ChildProcess, stdio: readonly (Duplex | undefined)[]): Promise<HostExit> {
  let text = "";
  pipe(stdio, 2).on("data", (chunk: Buffer) => {
    if (text.length < 4096) text = (text + chunk.toString("utf8")).slice(0, 4096);
  });
  return new Promise((resolve) => {
    let failed: string | null = null;
    child.once("error", (error) => {
      failed = error.message;
      // No process came to be: there will be no 'close'.
      if (child.pid === undefined) resolve({ code: null, signal: null, stderr: error.message });
    });
    child.once("exit", () => {
      const late = setTimeout(() => {
        for (const stream of stdio) stream?.destroy();
      }, orphanMs).unref();
      child.once("close", () => clearTimeout(late));
    });
    child.once("close", (code, signal) => resolve({ code, signal, stderr: failed ?? text }));
  });
}
