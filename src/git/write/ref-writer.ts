import { dirname, join } from "node:path";
import { Fault } from "../../base/index.ts";
import { isRefName } from "../format/ref-name.ts";
import { readRawRef } from "../read/refs.ts";
import { errnoOf } from "../read/regular-file.ts";
import type { DurableFile } from "./durable-fs.ts";
import { appendReflog, type RefChange } from "./reflog.ts";
import { makeDirectories, type WriteSite } from "./write-site.ts";

/** `moved`: the ref is not at `expected`. `busy`: somebody holds its lock; come again after 1 to 50 ms. */
export type SwapOutcome = "ok" | "moved" | "busy";

const lockMode = 0o666;
const maxLockTries = 8;
const occupied = new Set(["EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST"]);

/** Our own refs; every other one belongs to people, and HEAD to nobody. */
export function checkOwnRef(ref: string): void {
  if (isRefName(ref) && /^refs\/(?:heads\/audit|orrery)\/./u.test(ref)) return;
  throw new Fault("INTERNAL", `refused to write ${JSON.stringify(ref.slice(0, 200))}`);
}

export const lockPathOf = (commonDir: string, ref: string): string => `${join(commonDir, ref)}.lock`;

const conflict = (ref: string, why: string): Fault => new Fault("REF_CONFLICT", `${ref} cannot be written: ${why}`);

/**
 * Moves a ref from `expected` to `next` as stock git does: lock file, compare under the lock, fsync, rename, fsync of
 * the directory. `next` must be durable before. Never steals a lock, never writes through a symbolic ref.
 */
export async function compareAndSwapRef(site: WriteSite, change: RefChange): Promise<SwapOutcome> {
  checkOwnRef(change.ref);
  checkTarget(site, change);
  refuseConflict(site, change.ref);
  const path = join(site.repository.commonDir, change.ref);
  const lock = await createLock(site, change.ref);
  if (lock === "busy") return "busy";
  const lockPath = lockPathOf(site.repository.commonDir, change.ref);
  try {
    const moved = await fillLock(site, lock, change);
    if (moved) {
      await site.fs.unlink(lockPath);
      return "moved";
    }
    await site.ownership.adopt(lockPath, "file");
    await appendReflog(site, change);
    await replace(site, change.ref, { from: lockPath, to: path });
  } catch (error) {
    await site.fs.unlink(lockPath).catch(() => undefined);
    throw error;
  }
  await syncRef(site, path);
  return "ok";
}

/** A `git pack-refs` right after our rename takes the file, and even its directory, away: then packed-refs must last. */
async function syncRef(site: WriteSite, path: string): Promise<void> {
  await unlessGone(site.fs.syncDir(dirname(path)));
  if ((await site.fs.facts(path)) !== null) return;
  await unlessGone(site.fs.syncFile(join(site.repository.commonDir, "packed-refs")));
  await site.fs.syncDir(site.repository.commonDir);
}

async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** A branch at anything but a commit, or at nothing, breaks every git command of its readers. */
function checkTarget({ repository }: WriteSite, { ref, next }: RefChange): void {
  const { type } = repository.readObject(next);
  if (ref.startsWith("refs/heads/") && type !== "commit") throw new Fault("INTERNAL", `${ref} must be a commit`);
}

/** Git keeps `a` and `a/b` from existing both, also when one of them is packed and no file is in the way. */
function refuseConflict({ repository }: WriteSite, ref: string): void {
  const parts = ref.split("/");
  for (let length = 3; length < parts.length; length++) {
    const above = parts.slice(0, length).join("/");
    if (readRawRef(repository, above) !== null) throw conflict(ref, `${above} is a ref; rename it with git branch -m`);
  }
  const [below] = repository.listRefs(`${ref}/`);
  if (below !== undefined) throw conflict(ref, `${below.ref} is a ref; rename it with git branch -m`);
}

async function createLock(site: WriteSite, ref: string): Promise<DurableFile | "busy"> {
  const root = site.repository.commonDir;
  for (let attempt = 1; ; attempt++) {
    try {
      await makeDirectories(site, root, dirname(ref).split("/"));
      return await site.fs.create(lockPathOf(root, ref), lockMode);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EEXIST") return "busy";
      if (errno === "ENOTDIR") throw conflict(ref, "a file is in the way");
      // git pack-refs removes directories that it emptied, also one that we just made.
      if (errno !== "ENOENT" || attempt >= maxLockTries) throw error;
    }
  }
}

/** Compares under the lock, then writes `next` into it. True when the ref had moved. Closes the file in any case. */
async function fillLock({ repository }: WriteSite, lock: DurableFile, change: RefChange): Promise<boolean> {
  try {
    const current = readRawRef(repository, change.ref);
    if (current?.kind === "symbolic") throw conflict(change.ref, `it is a symbolic ref to ${current.to}`);
    if ((current?.oid ?? null) !== change.expected) return true;
    await lock.write(Buffer.from(`${change.next}\n`, "latin1"));
    await lock.sync();
    return false;
  } finally {
    await lock.close();
  }
}

async function replace(
  site: WriteSite,
  ref: string,
  move: { readonly from: string; readonly to: string },
): Promise<void> {
  try {
    // What git leaves of refs below this name, once they are gone or packed, is an empty directory.
    if ((await site.fs.facts(move.to))?.isDirectory === true) await site.fs.rmdir(move.to);
    await site.fs.rename(move.from, move.to);
  } catch (error) {
    if (occupied.has(errnoOf(error) ?? "")) throw conflict(ref, "a directory is in the way");
    throw error;
  }
}
