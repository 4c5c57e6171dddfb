import { dirname } from "node:path";
import type { Oid } from "../format/object.ts";
import { checkOwnRef, lockPathOf } from "./ref-writer.ts";
import type { WriteSite } from "./write-site.ts";

export interface StaleLockRequest {
  readonly ref: string;
  /** Ids that we may have been about to write: those of the pending batch. */
  readonly ours: ReadonlySet<Oid>;
  readonly now: Date;
}

/** `foreign`: another program's lock. `young`: it may still be at work. Both are for a person or for later. */
export type StaleLockOutcome = "none" | "removed" | "foreign" | "young";

const minAgeMs = 10_000;

/**
 * Removes the lock that a crash of ours left on `ref`, which would stop stock git too. Only for the holder of the
 * site's lease, at start, before it writes. A lock counts as ours when it holds one of `ours`, or as much of it as had
 * reached the disk.
 */
export async function removeStaleLock(site: WriteSite, request: StaleLockRequest): Promise<StaleLockOutcome> {
  checkOwnRef(request.ref);
  const path = lockPathOf(site.repository.commonDir, request.ref);
  const bytes = await site.fs.read(path);
  const facts = await site.fs.facts(path);
  if (bytes === null || facts === null) return "none";
  if (!isOurs(bytes, request.ours)) return "foreign";
  if (request.now.getTime() - facts.modifiedMs < minAgeMs) return "young";
  await site.fs.unlink(path);
  await site.fs.syncDir(dirname(path));
  return "removed";
}

function isOurs(bytes: Buffer, ours: ReadonlySet<Oid>): boolean {
  // After a power cut the size may have reached the disk before the bytes: NULs stand for what did not.
  const text = bytes.toString("latin1").replace(/\0+$/u, "");
  return text === "" || [...ours].some((oid) => `${oid}\n`.startsWith(text));
}
