import { Fault } from "../../base/index.ts";
import { encodeIdent, type Ident } from "./ident.ts";
import type { Oid } from "./object.ts";

export interface CommitInput {
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  readonly author: Ident;
  readonly committer: Ident;
  /** Written as it is; end it with LF as git does. */
  readonly message: string;
}

/** The unsigned bytes of a commit: what a signer signs. Equal input gives equal bytes. */
export function encodeCommit({ tree, parents, author, committer, message }: CommitInput): Buffer {
  if (message.includes("\0")) throw new Fault("INTERNAL", "NUL in a commit message");
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${encodeIdent(author)}`,
    `committer ${encodeIdent(committer)}`,
  ];
  return Buffer.from(`${lines.join("\n")}\n\n${message}`, "utf8");
}

/** The commit that carries `armored` as its gpgsig header; `payload` must be unsigned. */
export function signedCommit(payload: Buffer, armored: string): Buffer {
  const split = payload.indexOf("\n\n");
  if (split < 0) throw new Fault("INTERNAL", "payload without a blank line");
  const text = armored.trimEnd();
  // A blank line inside would end the headers early and move the rest of the signature into the message.
  if (text === "" || text.includes("\n\n") || text.includes("\r")) throw new Fault("INTERNAL", "malformed armor");
  const header = `gpgsig ${text.replaceAll("\n", "\n ")}\n`;
  return Buffer.concat([payload.subarray(0, split + 1), Buffer.from(header, "utf8"), payload.subarray(split + 1)]);
}
