import { mkdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../base/index.ts";
import { runCanary, runIdle } from "./canary.ts";
import { createHostFactory, type HostFactory, type HostFactoryDeps, type HostWall } from "./host-factory.ts";
import { unheldLimits } from "./host-limits.ts";
import { createHostSlots, type HostSlots } from "./host-slots.ts";
import { type HostSystem, hasProc, thisSystem, wallMachine } from "./host-system.ts";
import { levelFix } from "./level-fix.ts";
import { isPassable, type NodeRuntime, nodeRuntime } from "./node-runtime.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import type { CanaryProbe, SandboxFacts, SandboxLevel } from "./step-request.ts";
import type { Machine } from "./syscalls.ts";
import { findTools, type Tools } from "./tools.ts";

export interface ProbeOptions {
  /** Short, and passable for every user where the daemon is root: sockets and scratch lie below it. */
  readonly socketDir: string;
  readonly stateDir: string;
  /** The first host's user; null = hosts run as the daemon's own user. Ignored unless root. */
  readonly uidsBase: number | null;
  /** Where scripts/build-sandbox.ts wrote; default beside this build. */
  readonly appDir?: string;
  /** Nothing higher is tried. */
  readonly forceLevel?: SandboxLevel;
  /** Default: the machine that we run on. */
  readonly system?: HostSystem;
}

/** A level that works, with what launches its hosts; `launch` is null at `none`. */
export interface ProbedSandbox {
  readonly facts: SandboxFacts;
  readonly launch: HostFactory | null;
}

interface Trial {
  readonly wall: HostWall;
  readonly system: HostSystem;
  readonly tools: Tools;
  readonly runtime: NodeRuntime;
  readonly slots: HostSlots;
  readonly uidsBase: number | null;
  readonly options: ProbeOptions;
}

const mebibyte = 1024 * 1024;
const blankKind = { broker: false, memoryBytes: 128 * mebibyte, scratchBytes: 16 * mebibyte };
const startTimeoutMs = 15_000;
/** Data of a host before it is known how much an idle one takes. */
const roomyBytes = 4096 * mebibyte;

/** The highest level whose canary is stopped everywhere, tried in the real launcher. About 0.4 s. */
export async function probeSandbox(deps: HostFactoryDeps, options: ProbeOptions): Promise<ProbedSandbox> {
  const system = options.system ?? thisSystem();
  if (options.forceLevel === "none") return noSandbox("configured", null);
  if (system.platform === "win32") return noSandbox("no sandbox for Windows", null);
  const socketDir = join(options.socketDir, "sb");
  await mkdir(socketDir, { recursive: true, mode: 0o711 });
  // Node's permission model judges real paths: /tmp is a link on macOS.
  const dir = await realpath(socketDir);
  const uidsBase = process.getuid?.() === 0 ? options.uidsBase : null;
  const [tools, runtime] = await Promise.all([findTools(system), preparedRuntime(options, dir, uidsBase)]);
  const slots = createHostSlots(dir, uidsBase);
  const trial = { system, tools, runtime, slots, uidsBase, options };
  if (options.forceLevel === "process") return tryProcess(deps, trial, { reason: "configured", fix: null });
  const missing = await missingOf(system, tools);
  if (typeof missing !== "string") return tryProcess(deps, trial, missing);
  const confined = await attemptLevel(deps, { ...trial, wall: { level: "confined", machine: missing } });
  if ("launch" in confined) return withoutCgroup(confined);
  return tryProcess(deps, trial, { reason: confined.reason, fix: await levelFix(true) });
}

interface Why {
  readonly reason: string;
  readonly fix: string | null;
}

/** Why `confined` is not even tried; else the machine that its filter is for. */
async function missingOf(system: HostSystem, { bwrap, limiter }: Tools): Promise<Why | Machine> {
  const machine = wallMachine(system);
  if (machine === null) return { reason: `no wall is known for ${system.platform} on ${system.arch}`, fix: null };
  if (bwrap === null) return { reason: "bubblewrap is not installed", fix: await levelFix(false) };
  return limiter.kind === "prlimit" ? machine : { reason: "prlimit of util-linux is not installed", fix: null };
}

function noSandbox(reason: string, fix: string | null): ProbedSandbox {
  const facts: SandboxFacts = { level: "none", probes: [], reason, fix, unheld: [], node: process.version };
  return { launch: null, facts };
}

/** As `probeSandbox`, only the facts. */
export async function probeLevel(deps: HostFactoryDeps, options: ProbeOptions): Promise<SandboxFacts> {
  return (await probeSandbox(deps, options)).facts;
}

/** Fault where the machine is not set up, with what is missing: no level would help. */
async function preparedRuntime(options: ProbeOptions, dir: string, uidsBase: number | null): Promise<NodeRuntime> {
  if (uidsBase !== null && !(await isPassable(dir)))
    throw new Fault("SANDBOX_UNAVAILABLE", `hosts run as users of their own, who cannot pass to ${dir}`);
  const appDir = options.appDir ?? builtAppDir();
  try {
    return await nodeRuntime(process.execPath, appDir, uidsBase === null ? null : join(dir, "r"));
  } catch (error) {
    throw new Fault("SANDBOX_UNAVAILABLE", `the sandbox's own files are not built in ${appDir}`, { cause: error });
  }
}

function withoutCgroup(probed: ProbedSandbox): ProbedSandbox {
  const reason = "no control group of its own: memory and CPU are held by rlimits and by the daemon";
  return { ...probed, facts: { ...probed.facts, reason } };
}

async function tryProcess(deps: HostFactoryDeps, trial: Omit<Trial, "wall">, why: Why): Promise<ProbedSandbox> {
  const weak = await attemptLevel(deps, { ...trial, wall: { level: "process" } });
  if ("launch" in weak) return { ...weak, facts: { ...weak.facts, ...why } };
  return noSandbox(`${why.reason}; ${weak.reason}`, why.fix);
}

async function attemptLevel(deps: HostFactoryDeps, trial: Trial): Promise<ProbedSandbox | { readonly reason: string }> {
  try {
    const { level } = trial.wall;
    const factory = (baselineBytes: number | null): HostFactory => createHostFactory(deps, { ...trial, baselineBytes });
    const [baselineBytes, { probes, node }] = await measured(factory(hasProc(trial.system) ? roomyBytes : null), trial);
    const launch = factory(baselineBytes);
    const passed = probes.find(({ stopped }) => !stopped);
    if (level === "confined" && passed !== undefined)
      return { reason: `the canary could ${passed.name} (${passed.detail})` };
    const held = { limiter: trial.tools.limiter, baselineBytes, ownUser: trial.uidsBase !== null };
    const unheld = level === "confined" ? [] : unheldLimits(trial.system, held);
    return { launch, facts: { level, probes, reason: null, fix: null, unheld, node } };
  } catch (error) {
    if (error instanceof Fault) return { reason: error.message };
    throw error;
  }
}

/** Both at once, each in a host of its own: no probe of the canary depends on how much memory it may have. */
async function measured(
  launch: HostFactory,
  trial: Trial,
): Promise<readonly [number | null, Awaited<ReturnType<typeof canaryIn>>]> {
  const baseline = hasProc(trial.system) ? measureBaseline(launch) : Promise.resolve(null);
  const canary = canaryIn(launch, trial);
  // No host of a level that failed may be left when the next level is tried.
  await Promise.allSettled([baseline, canary]);
  return [await baseline, await canary];
}

/**
 * VmData of a host whose thread has run a step of nothing: RLIMIT_DATA counts from there, and it differs tenfold
 * between Node versions.
 */
async function measureBaseline(launch: HostFactory): Promise<number> {
  return withHost(launch, async (host) => {
    const idle = await runIdle(host);
    if (idle.kind === "failed") throw new Fault("SANDBOX_UNAVAILABLE", `a step of nothing failed: ${idle.message}`);
    const status = await readFile(`/proc/${host.pid}/status`, "utf8");
    const kibibytes = Number(/^VmData:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0);
    if (kibibytes === 0) throw new Fault("SANDBOX_UNAVAILABLE", "the memory of a sandbox host cannot be read");
    return kibibytes * 1024 + 16 * mebibyte;
  });
}

async function canaryIn(
  launch: HostFactory,
  { wall, system, runtime, uidsBase, options }: Trial,
): Promise<{ readonly probes: readonly CanaryProbe[]; readonly node: string }> {
  const { stateDir, socketDir } = options;
  const isRoot = uidsBase === null && process.getuid?.() === 0;
  const parts = { appDir: runtime.appDir, stateDir, socketDir, level: wall.level, hasProc: hasProc(system), isRoot };
  return withHost(launch, async (host) => ({ probes: await runCanary(host, parts), node: host.node }));
}

async function withHost<T>(launch: HostFactory, use: (host: SandboxHost) => Promise<T>): Promise<T> {
  const host = await launch(blankKind);
  const late = setTimeout(() => host.kill(), startTimeoutMs);
  try {
    await host.ready;
    clearTimeout(late);
    return await use(host);
  } finally {
    clearTimeout(late);
    host.kill();
    await host.gone;
  }
}

function builtAppDir(): string {
  // From sources (tests, dev) the build is below dist/, from the build itself it is two floors up.
  const relative = import.meta.url.endsWith(".ts") ? "../../dist/sandbox/" : "../../sandbox/";
  return fileURLToPath(new URL(relative, import.meta.url));
}
