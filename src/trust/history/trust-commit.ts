/** What the walk needs of a commit; git/'s `Commit` has this shape. */
export interface TrustCommit {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: TrustIdent;
  readonly committer: TrustIdent;
  /** The bytes that were signed: the commit without its gpgsig header. */
  readonly payload: Uint8Array;
  /** Armored SSHSIG, or null. */
  readonly signature: string | null;
  /** Why author, time or signature must not be believed, or null. */
  readonly defect: string | null;
}

export interface TrustIdent {
  readonly name: string;
  readonly email: string;
  /** Since the epoch. */
  readonly seconds: number;
}

export type ReadCommit = (oid: string) => TrustCommit;

export const shortOid = (oid: string): string => oid.slice(0, 12);
