import { readFileSync } from "node:fs";
import { systemClock } from "../../base/index.ts";
import { type GitRepository, type Oid, toOid } from "../../git/index.ts";
import { trustReader } from "../../reconciler/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import { readGrounds, type TreeReader, type TrustGrounds, type TrustWalk, walkTrust } from "../../trust/index.ts";

/** What a repository alone says of its trust, as a site that starts today would judge it. */
export interface RepositoryTrust {
  readonly reader: TreeReader;
  readonly head: Oid;
  readonly walk: TrustWalk;
  /** Of the newest verified commit; where there is none, of the head. */
  readonly at: Oid;
  readonly grounds: TrustGrounds;
}

/** Walks a branch from its first trusted commit. `pinned`: a signers file that the first one is checked with. */
export function readTrust(repository: GitRepository, head: Oid, pinned: string | undefined): RepositoryTrust {
  const reader = trustReader(repository);
  const walk = walkTrust({
    ...reader,
    ...{ verified: null, head, now: systemClock.now(), crypto: nodeTrustCrypto },
    readCommit: (oid) => repository.readCommit(toOid(oid)),
    pinnedSigners: pinned === undefined ? null : readFileSync(pinned, "utf8"),
  });
  const at = walk.verified === null ? head : toOid(walk.verified.oid);
  return { reader, head, walk, at, grounds: readGrounds(reader, repository.readCommit(at).tree) };
}

/** Walks a branch from a commit that counts as verified, as the site does that applied it. */
export const walkFrom = (repository: GitRepository, verified: Oid, head: Oid): TrustWalk =>
  walkTrust({
    ...trustReader(repository),
    ...{ verified: { commit: verified }, head, now: systemClock.now(), crypto: nodeTrustCrypto, pinnedSigners: null },
    readCommit: (oid) => repository.readCommit(toOid(oid)),
  });

/** Commits along first parents from `oid`, itself included. */
export function* firstParentLine(repository: GitRepository, oid: Oid): Generator<Oid> {
  for (let at: Oid | undefined = oid; at !== undefined; at = repository.readCommit(at).parents[0]) yield at;
}
