import { type GitObject, hashObject, type ObjectType, type Oid } from "../format/object.ts";
import type { GitRepository } from "../read/repository.ts";
import { type DurableFs, nodeDurableFs } from "./durable-fs.ts";
import { writeObjects } from "./object-writer.ts";
import { compareAndSwapRef, type SwapOutcome } from "./ref-writer.ts";
import type { RefChange } from "./reflog.ts";
import { removeStaleLock, type StaleLockOutcome, type StaleLockRequest } from "./stale-lock.ts";
import { openWriteSite, translated, type WriteSite } from "./write-site.ts";

/**
 * Writes objects and our own refs so that a crash at any point leaves a readable repository with the old or the new
 * ref. `REPO_NOT_WRITABLE` when the file system or its owner says no.
 */
export interface GitWriter {
  /** Resolves when the object is durable. */
  putObject(type: ObjectType, body: Uint8Array): Promise<Oid>;
  /** As `putObject` for each, oids in order, with one directory sync for many. */
  putObjects(objects: readonly GitObject[]): Promise<readonly Oid[]>;
  /** Compare and swap of `refs/heads/audit/*` or `refs/orrery/*`; `REF_CONFLICT` when another ref is in the way. */
  compareAndSwapRef(change: RefChange): Promise<SwapOutcome>;
  /** Removes a lock that our own crash left; see the function. */
  removeStaleLock(request: StaleLockRequest): Promise<StaleLockOutcome>;
}

export interface GitWriterOptions {
  readonly fs?: DurableFs;
  /** Chance for names of temporary files, in [0, 1). */
  readonly random?: () => number;
}

export function createGitWriter(repository: GitRepository, options: GitWriterOptions = {}): GitWriter {
  const { fs = nodeDurableFs, random = Math.random } = options;
  const write = <T>(work: (site: WriteSite) => Promise<T>): Promise<T> =>
    translated(async () => work(await openWriteSite(repository, fs, random)));
  const putObjects = (objects: readonly GitObject[]): Promise<readonly Oid[]> =>
    write((site) => writeObjects(site, objects));
  return {
    putObject: async (type, bytes) => {
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      await putObjects([{ type, body }]);
      return hashObject(type, body);
    },
    putObjects,
    compareAndSwapRef: (change) => write((site) => compareAndSwapRef(site, change)),
    removeStaleLock: (request) => write((site) => removeStaleLock(site, request)),
  };
}
