import { type GitRepository, type Oid, toOid } from "../../git/index.ts";
import { usage } from "../terminal.ts";
import { firstParentLine, type RepositoryTrust } from "./repository-trust.ts";

/**
 * From where a commit is approved: on the branch, from the newest verified commit before it; of another branch, from
 * where it left. USAGE where nothing lies between.
 */
export function approvalBase(repository: GitRepository, { head: main, walk }: RepositoryTrust, head: Oid): Oid {
  const verified = walk.verified === null ? null : toOid(walk.verified.oid);
  if (repository.isAncestor(head, main)) {
    if (verified === null || repository.isAncestor(head, verified))
      throw usage(`${head.slice(0, 12)} stands already: nothing is left to approve; or name --base`);
    return verified;
  }
  for (const oid of firstParentLine(repository, main)) if (repository.isAncestor(oid, head)) return oid;
  throw usage(`${head.slice(0, 12)} has no history in common with the branch: name --base`);
}
