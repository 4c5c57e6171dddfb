import { drained, Fault, systemClock } from "../../base/index.ts";
import { sha256, sha256Hex } from "../../base/node-digest.ts";
import { createGitWriter, type GitRepository, type Oid } from "../../git/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import {
  type ApprovalStatement,
  approvalBlob,
  approvalNamespace,
  approvalRefOf,
  maxApprovalBytes,
  parseSshsig,
  planHash,
  statementBytes,
  type TreeReader,
  verifySshsig,
} from "../../trust/index.ts";
import type { SignMessage } from "./approver-key.ts";

export interface WrittenApproval {
  readonly ref: string;
  readonly statement: ApprovalStatement;
  /** Public key, wire form. */
  readonly blob: Uint8Array;
}

/** What lies between two commits, as an approval names it. */
export const planHashBetween = (repository: GitRepository, reader: TreeReader, base: Oid, head: Oid): string =>
  drained(
    planHash(reader, { before: repository.readCommit(base).tree, after: repository.readCommit(head).tree }, sha256),
  );

/** Signs a statement and puts it under its ref; what stands there already, byte for byte, is left as it is. */
export async function writeApproval(
  repository: GitRepository,
  statement: ApprovalStatement,
  sign: SignMessage,
): Promise<WrittenApproval> {
  const message = statementBytes(statement);
  const armored = await sign(approvalNamespace, message);
  const verified = verifySshsig(nodeTrustCrypto, { armored, message, namespace: approvalNamespace });
  const sshsig = parseSshsig(armored);
  if (!verified.ok || !sshsig.ok) throw new Fault("KEY_UNREADABLE", verified.ok ? "no signature" : verified.reason);
  const bytes = approvalBlob(statement, armored);
  if (bytes.length > maxApprovalBytes) throw new Fault("USAGE", "the reason is too long");
  const ref = approvalRefOf(statement.head, sha256Hex(bytes));
  const writer = createGitWriter(repository);
  const next = await writer.putObject("blob", bytes);
  const seconds = Math.floor(systemClock.now().getTime() / 1000);
  const ident = { name: "orrery approve", email: "approve@localhost", seconds, offset: "+0000" };
  const outcome = await writer.compareAndSwapRef({ ref, expected: null, next, message: statement.verdict, ident });
  if (outcome === "busy") throw new Fault("REF_BUSY", `${ref} is locked by another process`);
  return { ref, statement, blob: verified.blob };
}
