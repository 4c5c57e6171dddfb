import { Fault, type Steps } from "../../base/index.ts";
import { type GitRepository, type Oid, openRepository } from "../../git/index.ts";
import { approvalRefPrefix, maxApprovalBytes, maxApprovals, type StoredApproval } from "../../trust/index.ts";

/** A delta's base may be a larger document than what it makes. */
const maxObjectBytes = 16 * maxApprovalBytes;
/** What is kept from walk to walk: as long as a commit waits, each pass asks again. */
const maxKeptBytes = 16 * 2 ** 20;

type Repository = Pick<GitRepository, "listRefs" | "path">;

const kept = new WeakMap<Repository, ReadonlyMap<Oid, Uint8Array>>();

/**
 * What stands under refs/orrery/approvals, by ref name, at most `maxApprovals`: anybody who may push wrote it. What is no
 * small blob, or is not there, has no bytes. Pauses at each blob.
 */
export function* storedApprovals(repository: Repository): Steps<readonly StoredApproval[]> {
  const refs = repository.listRefs(approvalRefPrefix).slice(0, maxApprovals);
  if (refs.length === 0) return [];
  const before = kept.get(repository);
  const blobs = new Map<Oid, Uint8Array>();
  const stored: StoredApproval[] = [];
  let keptBytes = 0;
  // A door of its own, through which nothing large comes: a blob of 60 MiB under each of 10,000 names must not be read.
  using small = openRepository(repository.path, { maxObjectBytes });
  for (const { ref, oid } of refs) {
    const name = nameOf(ref);
    if (name === null) continue;
    const bytes = blobs.get(oid) ?? before?.get(oid) ?? orNothing(() => small.readBlob(oid));
    stored.push({ ...name, bytes });
    keptBytes += bytes?.length ?? 0;
    // What is missing may still come: it is looked for again.
    if (bytes !== null && keptBytes <= maxKeptBytes) blobs.set(oid, bytes);
    yield;
  }
  kept.set(repository, blobs);
  return stored;
}

function nameOf(ref: string): Pick<StoredApproval, "head" | "sha256"> | null {
  const [head, sha256, more] = ref.slice(approvalRefPrefix.length).split("/");
  return head === undefined || sha256 === undefined || more !== undefined ? null : { head, sha256 };
}

function orNothing(read: () => Buffer): Buffer | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.disposition === "stall") return null;
    throw error;
  }
}
