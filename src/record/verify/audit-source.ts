import type { TrustCommit } from "../../trust/index.ts";

/** What the verifier reads of a repository; git/'s `GitRepository` has this shape. Every object is hash-checked by it. */
export interface AuditReader {
  readCommit(oid: string): TrustCommit;
  readTree(oid: string): readonly AuditTreeEntry[];
  readBlob(oid: string): Uint8Array;
}

export interface AuditTreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
  /** Why the entry is unsafe, or null. */
  readonly defect: string | null;
}

/** A history to judge: `commits` oldest first, the newest is the branch's head. */
export interface AuditSource extends AuditReader {
  readonly commits: readonly string[];
}

/** Bounds a history that points at itself by a forged reader; a branch gets at most 2,060 commits a day. */
const maxCommits = 10_000_000;

/**
 * The first-parent line from `head` down to its root, oldest first. A commit that cannot be read ends it there: the
 * verifier then reports that the oldest one found has a parent.
 */
export function auditHistory(reader: Pick<AuditReader, "readCommit">, head: string): readonly string[] {
  const commits: string[] = [];
  for (let oid: string | undefined = head; oid !== undefined && commits.length < maxCommits; ) {
    commits.push(oid);
    oid = firstParent(reader, oid);
  }
  return commits.reverse();
}

function firstParent(reader: Pick<AuditReader, "readCommit">, oid: string): string | undefined {
  try {
    return reader.readCommit(oid).parents[0];
  } catch {
    return undefined;
  }
}
