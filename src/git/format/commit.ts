import { Fault } from "../../base/index.ts";
import { decodeIdent, type Ident, noIdent } from "./ident.ts";
import { isOid, type Oid } from "./object.ts";

/** A commit taken apart. With a `defect` its author, time or signature must not be believed. */
export interface Commit {
  readonly oid: Oid;
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  readonly author: Ident;
  readonly committer: Ident;
  /** For show and trailers: UTF-8, bad bytes as U+FFFD. */
  readonly message: string;
  /** What was signed: the bytes without the gpgsig header, byte exact. */
  readonly payload: Buffer;
  /** The armored SSH signature, unfolded, with a final LF; null where there is none. */
  readonly signature: string | null;
  readonly defect: string | null;
  readonly raw: Buffer;
}

interface Header {
  readonly name: string;
  /** Value with its continuation lines, unfolded. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

interface Signature {
  readonly text: string | null;
  readonly defect: string | null;
}

const lf = 0x0a;
const space = 0x20;
const sshArmor = "-----BEGIN SSH SIGNATURE-----\n";

/**
 * Takes a commit apart. Only a commit without a readable tree and parents throws (`REPO_CORRUPT`), as git itself cannot
 * walk over it; everything else is a `defect`.
 */
export function decodeCommit(oid: Oid, body: Buffer): Commit {
  const split = body.indexOf("\n\n");
  const headerBytes = split < 0 ? body.length : split + 1;
  const headers = headersOf(body, headerBytes);
  const links = linksOf(headers);
  const [authorAt, committerAt] = [1 + links.parents.length, 2 + links.parents.length];
  const author = identAt(headers, authorAt, "author");
  const committer = identAt(headers, committerAt, "committer");
  const signatures = headers.filter((header) => header.name === "gpgsig");
  const signature = signatureOf(signatures);
  return {
    oid,
    ...links,
    author: author ?? noIdent,
    committer: committer ?? noIdent,
    message: split < 0 ? "" : body.toString("utf8", split + 2),
    payload: without(body, signatures),
    signature: signature.text,
    defect:
      layoutDefect(body, split, headers, committerAt) ??
      (author === null ? "malformed author" : null) ??
      (committer === null ? "malformed committer" : null) ??
      signature.defect,
    raw: body,
  };
}

/** Only the parents, for walks over many commits. */
export function decodeParents(body: Buffer): readonly Oid[] {
  const split = body.indexOf("\n\n");
  return linksOf(headersOf(body, split < 0 ? body.length : split + 1)).parents;
}

function headersOf(body: Buffer, end: number): readonly Header[] {
  const headers: Header[] = [];
  for (let at = 0; at < end; ) {
    const start = at;
    at = lineEnd(body, at, end);
    let text = body.toString("utf8", start, at - 1);
    while (at < end && body[at] === space) {
      const next = lineEnd(body, at, end);
      text += `\n${body.toString("utf8", at + 1, next - 1)}`;
      at = next;
    }
    const blank = text.indexOf(" ");
    const name = blank < 0 ? text : text.slice(0, blank);
    headers.push({ name, value: blank < 0 ? "" : text.slice(blank + 1), start, end: at });
  }
  return headers;
}

function lineEnd(body: Buffer, at: number, end: number): number {
  const found = body.indexOf(lf, at);
  return found < 0 || found >= end ? end : found + 1;
}

/** Git reads `tree`, then the unbroken run of `parent` lines; a later `parent` is no parent for it, nor for us. */
function linksOf(headers: readonly Header[]): { readonly tree: Oid; readonly parents: readonly Oid[] } {
  const tree = headers[0];
  if (tree?.name !== "tree" || !isOid(tree.value)) throw new Fault("REPO_CORRUPT", "commit without a tree");
  const parents: Oid[] = [];
  for (const header of headers.slice(1)) {
    if (header.name !== "parent") break;
    if (!isOid(header.value)) throw new Fault("REPO_CORRUPT", "commit with a malformed parent");
    parents.push(header.value);
  }
  return { tree: tree.value, parents };
}

function identAt(headers: readonly Header[], index: number, name: string): Ident | null {
  const header = headers[index];
  return header?.name === name ? decodeIdent(header.value) : null;
}

/** What lets two readers of the same bytes see two different commits. */
function layoutDefect(body: Buffer, split: number, headers: readonly Header[], committerAt: number): string | null {
  if (split < 0) return "no blank line after the headers";
  if (body.includes(0)) return "NUL byte in the commit";
  for (const { name } of headers.slice(committerAt + 1)) {
    if (["tree", "parent", "author", "committer"].includes(name)) return `header ${name} out of place`;
    // Newer git leaves it out of the signed bytes, older git does not.
    if (name !== "gpgsig" && name.startsWith("gpgsig")) return "header of another signature format";
  }
  return null;
}

function signatureOf(headers: readonly Header[]): Signature {
  const [header] = headers;
  if (header === undefined) return { text: null, defect: null };
  if (headers.length > 1) return { text: null, defect: "two gpgsig headers" };
  const text = `${header.value}\n`;
  if (text.startsWith(sshArmor)) return { text, defect: null };
  if (text.startsWith("-----BEGIN PGP")) return { text: null, defect: "signed with OpenPGP, not SSH" };
  if (text.startsWith("-----BEGIN SIGNED MESSAGE")) return { text: null, defect: "signed with X.509, not SSH" };
  return { text: null, defect: "gpgsig that is no SSH signature" };
}

function without(body: Buffer, headers: readonly Header[]): Buffer {
  if (headers.length === 0) return body;
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end } of headers) {
    parts.push(body.subarray(at, start));
    at = end;
  }
  return Buffer.concat([...parts, body.subarray(at)]);
}
