import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { isOid, type Oid } from "../format/object.ts";
import { isRefName } from "../format/ref-name.ts";
import { listPackedRefs, readPackedRef } from "./packed-refs.ts";
import { isAbsent, readRegularFile, unreadable } from "./regular-file.ts";

/** Where refs lie; the same for a repository without linked worktrees. */
export interface RefDirs {
  readonly gitDir: string;
  readonly commonDir: string;
}

export interface RefValue {
  readonly ref: string;
  readonly oid: Oid;
}

/** What stands in a ref's own place, before any symbolic ref is followed. */
export type RawRef = { readonly kind: "oid"; readonly oid: Oid } | { readonly kind: "symbolic"; readonly to: string };

const maxSymbolicDepth = 5;
const maxLooseBytes = 65_536;
/** Reads again when a ref seems absent or torn: it may have been moved between two files in that moment. */
const tries = 3;

/** The commit (or other object) that a full ref name stands for, symbolic refs followed; null when it is not there. */
export function readRef(dirs: RefDirs, ref: string): Oid | null {
  let name = ref;
  for (let depth = 0; depth <= maxSymbolicDepth; depth++) {
    const raw = readRawRef(dirs, name);
    if (raw === null) return null;
    if (raw.kind === "oid") return raw.oid;
    name = raw.to;
  }
  throw new Fault("REPO_CORRUPT", `${ref} is a symbolic ref more than ${String(maxSymbolicDepth)} deep`);
}

/**
 * The ref itself: the loose file first, packed-refs only after it. The other order goes back in time: packed-refs read
 * before a `git pack-refs`, the loose file missed after it, and an older commit comes out.
 */
export function readRawRef(dirs: RefDirs, ref: string): RawRef | null {
  if (!isRefName(ref)) throw new Fault("REF_MISSING", `${JSON.stringify(ref.slice(0, 200))} is not a full ref name`);
  const path = join(isPerWorktree(ref) ? dirs.gitDir : dirs.commonDir, ref);
  let torn = false;
  for (let attempt = 0; attempt < tries; attempt++) {
    const text = readRegularFile(path, maxLooseBytes, ref)?.toString("utf8");
    const loose = text === undefined ? null : rawRefOf(text);
    if (loose !== null) return loose;
    torn = text !== undefined;
    if (torn) continue;
    const packed = readPackedRef(dirs.commonDir, ref);
    if (packed !== null) return { kind: "oid", oid: packed };
  }
  if (torn) throw new Fault("REPO_CORRUPT", `the file of ${ref} holds no object id`);
  return null;
}

/** All refs whose full name starts with `prefix`, in byte order. Broken and dangling ones are left out. */
export function listRefs(dirs: RefDirs, prefix: string): readonly RefValue[] {
  // Loose before packed, as in readRawRef: a ref that is packed in between is then seen in the second place.
  const loose = new Set(looseNames(dirs.commonDir, prefix));
  const packed = listPackedRefs(dirs.commonDir);
  const names = new Set([...loose, ...[...packed.keys()].filter((name) => name.startsWith(prefix))]);
  const sorted = [...names].filter(isRefName).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sorted.flatMap((ref) => {
    // Whoever pushes can make ten thousand: packed-refs must not be read again for each.
    const oid = loose.has(ref) ? readSoundRef(dirs, ref) : (packed.get(ref) ?? null);
    return oid === null ? [] : [{ ref, oid }];
  });
}

function readSoundRef(dirs: RefDirs, ref: string): Oid | null {
  try {
    return readRef(dirs, ref);
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}

/** Decides as git does which refs a linked worktree has for itself. */
const isPerWorktree = (ref: string): boolean =>
  !ref.startsWith("refs/") || /^refs\/(?:bisect|worktree|rewritten)\//u.test(ref);

function rawRefOf(text: string): RawRef | null {
  const symbolic = /^ref:\s*(\S+)\s*$/u.exec(text)?.[1];
  if (symbolic !== undefined) return isRefName(symbolic) ? { kind: "symbolic", to: symbolic } : null;
  const oid = text.slice(0, 40);
  return isOid(oid) && /^\s/u.test(text.slice(40)) ? { kind: "oid", oid } : null;
}

function looseNames(commonDir: string, prefix: string): readonly string[] {
  const names: string[] = [];
  const pending = [prefix.startsWith("refs/") ? prefix.slice(0, prefix.lastIndexOf("/")) : "refs"];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    for (const { name, isDirectory } of entriesOf(commonDir, dir)) {
      const within = name.startsWith(prefix);
      if (isDirectory && (within || prefix.startsWith(`${name}/`))) pending.push(name);
      if (!isDirectory && within) names.push(name);
    }
  }
  return names;
}

function entriesOf(
  commonDir: string,
  dir: string,
): readonly { readonly name: string; readonly isDirectory: boolean }[] {
  // A prefix comes from callers: it must not lead out of the repository.
  if (dir !== "refs" && !isRefName(dir)) return [];
  try {
    const entries = readdirSync(join(commonDir, dir), { withFileTypes: true });
    return entries.map((entry) => ({ name: `${dir}/${entry.name}`, isDirectory: entry.isDirectory() }));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw unreadable("refs", error);
  }
}
