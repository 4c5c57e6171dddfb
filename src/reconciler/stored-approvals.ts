import { Fault } from "../base/index.ts";
import { type GitRepository, openRepository } from "../git/index.ts";
import { approvalRefPrefix, maxApprovalBytes, maxApprovals, type StoredApproval } from "../trust/index.ts";

/** A delta's base may be a larger document than what it makes. */
const maxObjectBytes = 16 * maxApprovalBytes;

/**
 * What stands under refs/orrery/approvals, by ref name, at most `maxApprovals`: anybody who may push wrote it. What is no
 * small blob, or is not there, has no bytes.
 */
export function storedApprovals(repository: Pick<GitRepository, "listRefs" | "path">): readonly StoredApproval[] {
  const refs = repository.listRefs(approvalRefPrefix).slice(0, maxApprovals);
  if (refs.length === 0) return [];
  // A door of its own, through which nothing large comes: a blob of 60 MiB under each of 10,000 names must not be read.
  using small = openRepository(repository.path, { maxObjectBytes });
  return refs.flatMap(({ ref, oid }) => {
    const [head, sha256, more] = ref.slice(approvalRefPrefix.length).split("/");
    if (head === undefined || sha256 === undefined || more !== undefined) return [];
    return [{ head, sha256, bytes: orNothing(() => small.readBlob(oid)) }];
  });
}

function orNothing(read: () => Buffer): Buffer | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.disposition === "stall") return null;
    throw error;
  }
}
