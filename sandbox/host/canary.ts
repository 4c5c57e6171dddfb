import { execFileSync } from "node:child_process";
import { lookup } from "node:dns";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { JsonOutput, Task } from "../sdk.ts";

interface CanaryInput {
  /** A file of the daemon's that no step may read. */
  readonly secretPath: string;
  /** Where a step may not write. */
  readonly forbiddenDirs: readonly string[];
  /** A listener of the daemon's on loopback. */
  readonly port: number;
}

type Outcome = { readonly name: string; readonly stopped: boolean; readonly detail: string };
type Probe = () => Promise<string> | string;

/** Tries what a hostile step would try; tells what was stopped and by what. */
const canary: Task<CanaryInput> = {
  run: async (input): Promise<JsonOutput> => {
    const probes: Readonly<Record<string, Probe>> = {
      "read a file of the daemon": () => String(readFileSync(input.secretPath).length),
      "read /etc/passwd": () => String(readFileSync("/etc/passwd").length),
      "read /proc/self/environ": () => String(readFileSync("/proc/self/environ").length),
      "read its environment": () => Object.keys(process.env).join(" ") || refuse("empty"),
      "write outside of its scratch": () => write(input.forbiddenDirs),
      "start a process": () => execFileSync("/bin/true").toString(),
      "signal the daemon": () => signalParent(),
      "connect to loopback": () => dial(input.port),
      "resolve a name": () => resolveName("localhost.invalid"),
    };
    const results: Outcome[] = [];
    for (const [name, probe] of Object.entries(probes)) results.push(await outcome(name, probe));
    return { probes: results };
  },
};

export default canary;

async function outcome(name: string, probe: Probe): Promise<Outcome> {
  try {
    return { name, stopped: false, detail: (await probe()).slice(0, 200) };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return { name, stopped: true, detail: String(code ?? message).slice(0, 200) };
  }
}

function refuse(why: string): never {
  throw new Error(why);
}

/** The first place that takes a file. */
function write(dirs: readonly string[]): string {
  let last: unknown;
  for (const dir of dirs) {
    try {
      writeFileSync(`${dir}/canary`, "x");
      return dir;
    } catch (error) {
      last = error;
    }
  }
  throw last as Error;
}

function signalParent(): string {
  if (process.ppid === 0) refuse("no parent to be seen");
  process.kill(process.ppid, 0);
  return "it answers";
}

function dial(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", reject);
  });
}

/** A resolver that answers, even "no such name", was reached. */
function resolveName(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lookup(name, (error) => {
      if (error?.code === "ENOTFOUND") resolve("a resolver answered");
      else if (error === null) resolve("resolved");
      else reject(error);
    });
  });
}
