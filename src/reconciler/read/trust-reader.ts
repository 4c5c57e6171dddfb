import { sha256Hex } from "../../base/node-digest.ts";
import { type GitRepository, toOid } from "../../git/index.ts";
import type { TreeReader } from "../../trust/index.ts";
import { byOid, groundsReader } from "./grounds-reader.ts";
import { storedApprovals } from "./stored-approvals.ts";

/** How one trust walk reads trees and approvals. */
export function trustReader(repository: GitRepository): TreeReader {
  const readTree = byOid((oid) => repository.readTree(oid));
  const contentSha256 = byOid((oid) => sha256Hex(repository.readBlob(oid)));
  return {
    ...groundsReader(repository),
    readTree: (tree) => readTree(toOid(tree)),
    contentSha256: (blob) => contentSha256(toOid(blob)),
    approvals: () => storedApprovals(repository),
  };
}
