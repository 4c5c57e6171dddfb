import { Fault } from "../base/index.ts";
import { type Oid, toOid } from "../git/index.ts";
import { parseCheckpoint } from "../record/index.ts";
import { type LastSigned, nodeTrustCrypto } from "../signer/index.ts";
import type { StoredBatch } from "../store/index.ts";
import { sameBytes, verifySshsig } from "../trust/index.ts";
import { auditRef, type RecorderDeps } from "./recorder-deps.ts";

type CheckDeps = Pick<RecorderDeps, "repository" | "signer">;

/**
 * Compares what the database, the signer and the branch say, before anything is written (DESIGN.md section 7, crash and
 * restore):
 *
 *     head = last commit                 equal: go on
 *     head = its parent, not yet done    a crash: the prepared batch is written again
 *     head is older, or gone             AUDIT_BEHIND
 *     head or signer is newer, and ours  AUDIT_AHEAD
 *     anything else                      AUDIT_FORKED
 */
export function checkBranch(deps: CheckDeps, site: string, last: StoredBatch | null, signed: LastSigned | null): void {
  checkSigner(last, signed);
  const head = deps.repository.readRef(auditRef(site));
  const allowed = last === null ? [null] : last.state === "done" ? [last.commit] : [last.commit, last.parent];
  if (allowed.includes(head)) return;
  throw last === null ? unknownHead(deps, site, head) : movedHead({ deps, site, last, head });
}

/** The signer may be one batch further than the database: that answer was lost and is asked for again. */
function checkSigner(last: StoredBatch | null, signed: LastSigned | null): void {
  if (signed === null) return;
  const batch = last?.batch ?? 0;
  if (signed.batch > batch + 1) {
    throw new Fault(
      "AUDIT_AHEAD",
      `the signer signed batch ${String(signed.batch)}, the database ends at batch ${String(batch)}`,
    );
  }
  if (last !== null && signed.batch === batch && signed.commit !== last.commit) {
    throw new Fault("AUDIT_FORKED", `the signer made another batch ${String(batch)} than the one in the database`);
  }
}

function unknownHead(deps: CheckDeps, site: string, head: Oid | null): Fault {
  const ref = auditRef(site);
  if (head !== null && isOurs(deps, head)) {
    return new Fault("AUDIT_AHEAD", `${ref} holds this site's records, the database knows none`);
  }
  return new Fault("AUDIT_FORKED", `${ref} is there already, and not from this site's recorder`);
}

interface Moved {
  readonly deps: CheckDeps;
  readonly site: string;
  readonly last: StoredBatch;
  readonly head: Oid | null;
}

function movedHead({ deps, site, last, head }: Moved): Fault {
  const ref = auditRef(site);
  const { repository } = deps;
  const lastOid = toOid(last.commit);
  const isThere = repository.hasObject(lastOid);
  const fix = isThere ? `; to restore it: git update-ref ${ref} ${last.commit}` : "";
  if (head === null) return new Fault("AUDIT_BEHIND", `${ref} is gone, its head was ${last.commit}${fix}`);
  if (isThere && repository.isAncestor(lastOid, head)) {
    const ours = isOurs(deps, head);
    return ours
      ? new Fault("AUDIT_AHEAD", `${ref} has commits of this recorder that the database does not know`)
      : new Fault("AUDIT_FORKED", `${ref} has commits on top of ${last.commit} that are not the recorder's${fix}`);
  }
  const older = isThere ? repository.isAncestor(head, lastOid) : isOurs(deps, head) && sizeAt(deps, head) < last.size;
  if (older) return new Fault("AUDIT_BEHIND", `${ref} is at ${head}, an earlier commit than ${last.commit}${fix}`);
  return new Fault("AUDIT_FORKED", `${ref} is at ${head}, which does not belong to ${last.commit}${fix}`);
}

/** Signed with the key that the signer holds now. */
function isOurs({ repository, signer }: CheckDeps, oid: Oid): boolean {
  const { signature, payload, defect } = repository.readCommit(oid);
  if (signature === null || defect !== null) return false;
  const verdict = verifySshsig(nodeTrustCrypto, { armored: signature, message: payload, namespace: "git" });
  return verdict.ok && sameBytes(verdict.blob, signer.publicKey.blob);
}

function sizeAt({ repository }: CheckDeps, oid: Oid): number {
  const entry = repository.entryAt(repository.readCommit(oid).tree, "checkpoint");
  const checkpoint = entry?.kind === "blob" ? parseCheckpoint(repository.readBlob(entry.oid).toString("latin1")) : null;
  return checkpoint?.size ?? Number.POSITIVE_INFINITY;
}
