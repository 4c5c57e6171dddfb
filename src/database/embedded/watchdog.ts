import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import type { Socket } from "node:net";
import { serverEnvironment } from "./cluster.ts";
import type { ServerIdentity } from "./identity.ts";

// INT is a fast shutdown. `read` returns at end of file, that is when the daemon is gone for whatever reason. Descriptor
// 5, because dash gives background jobs /dev/null as stdin, and 3 and 4 are the server's directories.
const guarded = `exec 5<&0
"$@" </dev/null 5<&- & p=$!
(read -r x <&5; kill -INT $p 2>/dev/null) 3<&- 4<&- & r=$!
exec 5<&-
wait $p; s=$?
kill $r 2>/dev/null
exit $s`;

// The pid may be reused between the daemon's death and the kill: only a process that works in our directory is ours.
const adopted = 'read -r x; [ "$(readlink "/proc/$1/cwd")" = "$2" ] && kill -INT "$1"';

export interface GuardedProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFd: number;
  /** Open directories, handed over as descriptors 3 and 4. */
  readonly directories: readonly [number, number];
  readonly who: ServerIdentity | null;
}

/** Starts a process that is told to stop when we die, even by SIGKILL. Its stdin pipe is the life line. */
export function spawnGuarded({ command, args, logFd, directories, who }: GuardedProcess): ChildProcess {
  // The log is a file: a paused daemon must not block the server's writes to a pipe.
  const child = spawn("/bin/sh", ["-c", guarded, "orrery-postgres", command, ...args], {
    cwd: "/",
    detached: true,
    env: serverEnvironment,
    stdio: ["pipe", "ignore", logFd, ...directories],
    ...who,
  });
  letGo(child);
  return child;
}

/** The same life line for a server that an earlier daemon started. */
export function guardAdopted(pid: number, pgdata: string, who: ServerIdentity | null): ChildProcess {
  const child = spawn("/bin/sh", ["-c", adopted, "orrery-postgres-guard", String(pid), realpathSync(pgdata)], {
    cwd: "/",
    detached: true,
    env: serverEnvironment,
    stdio: ["pipe", "ignore", "ignore"],
    ...who,
  });
  letGo(child);
  return child;
}

/** Neither the child nor its pipe may keep the daemon's event loop alive. */
function letGo(child: ChildProcess): void {
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  child.unref();
  (child.stdin as Socket | null)?.unref();
}
