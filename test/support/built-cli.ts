import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "dist", "src", "cli", "main.js");

/** What `dist/` is made from. */
const sources = [
  "src",
  "sandbox",
  "scripts/build.ts",
  "scripts/build-sandbox.ts",
  "tsconfig.json",
  "tsconfig.build.json",
];
const cache = join(root, "dist");
const stampFile = join(cache, ".e2e-build.json");
const lockFile = join(cache, ".e2e-build.lock");
const buildMs = 180_000;

/**
 * The built command line. It is made once for a vitest run where it is missing or older than its sources: never while
 * another file of the run has a daemon out of it, whose hosts and threads are started from the same files.
 */
export async function builtCli(): Promise<string> {
  mkdirSync(cache, { recursive: true });
  await until(() => takeLock(), buildMs);
  try {
    if (stampedRun() !== process.ppid) {
      if (isStale()) build();
      writeFileSync(stampFile, JSON.stringify({ run: process.ppid }));
    }
  } finally {
    rmSync(lockFile, { force: true });
  }
  return main;
}

function takeLock(): boolean {
  try {
    const fd = openSync(lockFile, "wx");
    writeFileSync(fd, String(process.pid));
    closeSync(fd);
    return true;
  } catch {
    // One whose holder was killed would be held for ever.
    if (!isAlive(Number(textOf(lockFile)))) rmSync(lockFile, { force: true });
    return false;
  }
}

/** The vitest process that found `dist/` fresh last. */
function stampedRun(): number {
  try {
    return (JSON.parse(textOf(stampFile)) as { readonly run: number }).run;
  } catch {
    return 0;
  }
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

function isAlive(pid: number): boolean {
  if (pid === 0) return true;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isStale(): boolean {
  const built = statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.some((name) => newestMs(join(root, name)) > built);
}

function newestMs(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function build(): void {
  const result = spawnSync(process.execPath, ["--import", "tsx", "scripts/build.ts"], { cwd: root, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`the build failed:\n${result.stdout}${result.stderr}`);
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Numeric user and group that the process runs as; only root can ask for it. */
  readonly uid?: number;
}

export interface CliResult {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of the built CLI in tests: nothing inherited but PATH and the place of temporary files. */
const cliEnvironment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: tmpdir(),
  TMPDIR: tmpdir(),
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  ...extra,
});

/** Starts the built CLI; what it writes comes as text. */
export async function spawnCli(args: readonly string[], options: CliOptions = {}): Promise<ChildProcess> {
  const cli = await builtCli();
  const { cwd = tmpdir(), env, uid } = options;
  const child = spawn(process.execPath, ["--enable-source-maps", cli, ...args], {
    cwd,
    env: cliEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

/** Runs the built CLI to its end. */
export async function orrery(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = await spawnCli(args, options);
  const texts = { stdout: "", stderr: "" };
  child.stdout?.on("data", (text: string) => (texts.stdout += text));
  child.stderr?.on("data", (text: string) => (texts.stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exit) => resolve({ exit, ...texts }));
  });
}

/** The last line of standard output, as JSON; where it is none, an error with all that was said. */
export function jsonOf({ exit, stdout, stderr }: CliResult): unknown {
  try {
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  } catch {
    throw new Error(`exit ${String(exit)} without JSON\n${stdout}${stderr}`);
  }
}
