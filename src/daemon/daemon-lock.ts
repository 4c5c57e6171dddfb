import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { Fault } from "../base/index.ts";
import { isAlive } from "../config/index.ts";

/**
 * One holder of a data directory at a time, also among daemons that start at one instant over what a killed one left.
 *
 * `daemon.locks/<n>` names the n-th holder; the greatest n counts, and its file is never removed, only outnumbered:
 * - n+1 is made only by who has seen n dead, whole and at once (`link`): of two that try, one gets EEXIST.
 * - Dead stays dead: pid and start of the process are of one process for ever. So a judgement may be old.
 * - Who was asleep since it judged an older n may still make a number that was cleared away. It then sees a greater one
 *   and yields. Were the greatest removed at the end, it would see none.
 */
export interface DaemonLock {
  /** The next daemon may take it at once. */
  release(): void;
}

interface LockHolder {
  readonly pid: number;
  /** Start of the process as the kernel counts it: a reused pid is not the daemon that took the lock. */
  readonly started: string;
}

const locksOf = (root: string): string => path.join(root, "daemon.locks");
const maxTries = 100;

/** Takes the directory. Fault DATA_DIR_BUSY names the pid of its holder. */
export function takeDaemonLock(root: string): DaemonLock {
  const directory = locksOf(root);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const mine = path.join(directory, `new-${process.pid}`);
  writeHolder(mine, { pid: process.pid, started: startOf(process.pid) });
  try {
    for (let tries = 0; tries < maxTries; tries++) {
      // The number that was judged is the one that is followed: a later look could follow a holder that nobody judged.
      const last = greatest(directory);
      if (!isFree(root, last)) continue;
      const number = last + 1;
      if (!linked(mine, path.join(directory, String(number)))) continue;
      if (greatest(directory) > number) {
        rmSync(path.join(directory, String(number)), { force: true });
        continue;
      }
      clearBelow(directory, number);
      return { release: () => release(directory, number) };
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new Fault("DATA_DIR_BUSY", `${root} is being taken by another daemon`);
}

/** Fault DATA_DIR_BUSY with the pid where a daemon holds the directory; says nothing of one that starts a moment later. */
export function refuseHeldDirectory(root: string): void {
  for (let tries = 0; tries < maxTries; tries++) if (isFree(root, greatest(locksOf(root)))) return;
}

/** False where this number was outnumbered and cleared meanwhile: look again. Fault DATA_DIR_BUSY where its holder lives. */
function isFree(root: string, number: number): boolean {
  if (number === 0) return true;
  const text = textOf(path.join(locksOf(root), String(number)));
  if (text === null) return false;
  const holder = holderIn(text);
  if (holder === null || !isAlive(holder.pid) || startOf(holder.pid) !== holder.started) return true;
  throw new Fault("DATA_DIR_BUSY", `${root} is in use by the daemon with pid ${holder.pid}`, {
    fields: { pid: holder.pid },
  });
}

// Over the name, never away from it: the number must stay the greatest.
function release(directory: string, number: number): void {
  const free = path.join(directory, `new-${process.pid}`);
  writeHolder(free, null);
  renameSync(free, path.join(directory, String(number)));
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

const numberName = /^[1-9]\d{0,14}$/;

const isNumber = (name: string): boolean => numberName.test(name);

/** 0 where none was ever taken. */
function greatest(directory: string): number {
  try {
    return Math.max(0, ...readdirSync(directory).filter(isNumber).map(Number));
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

function clearBelow(directory: string, number: number): void {
  for (const name of readdirSync(directory)) {
    const isOld = isNumber(name) && Number(name) < number;
    const pid = /^new-(\d+)$/.exec(name)?.[1];
    if (isOld || (pid !== undefined && !isAlive(Number(pid)))) rmSync(path.join(directory, name), { force: true });
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

/** null = released, or what no daemon wrote: one writes its name before it links it. */
function holderIn(text: string): LockHolder | null {
  try {
    const { pid, started } = (JSON.parse(text) ?? {}) as Partial<LockHolder>;
    return typeof pid === "number" && typeof started === "string" ? { pid, started } : null;
  } catch {
    return null;
  }
}

function writeHolder(file: string, holder: LockHolder | null): void {
  const fd = openSync(file, "w", 0o644);
  try {
    writeSync(fd, JSON.stringify(holder));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Field 22 of /proc/<pid>/stat with the boot id; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${fields[19] ?? ""}`;
  } catch {
    return "";
  }
}
