import { encodeCommit, signedCommit, toOid } from "../../src/git/index.ts";
import { signSshsig } from "../../src/signer/index.ts";
import { specKey } from "./audit-fixtures.ts";
import { stockGit, stockGitBytes } from "./git-fixtures.ts";
import type { SpecCommits } from "./spec-commits.ts";

/** A tree entry that no work tree could hold: any mode, any name, any object. */
export interface RawEntry {
  /** Folder that it lies in; "" = the root. Folders that are missing are made. */
  readonly folder: string;
  readonly mode: string;
  readonly name: Buffer | string;
  readonly oid: string;
}

interface Row {
  readonly mode: string;
  readonly name: Buffer;
  readonly oid: string;
}

/** Writes any bytes as a blob with stock git. */
export const rawBlob = (dir: string, content: string | Uint8Array): string =>
  stockGit(dir, ["hash-object", "-w", "--stdin"], { input: content });

/** Writes rows as a tree, whatever they say: stock git looks at nothing with --literally. */
export function rawTree(dir: string, rows: readonly Row[]): string {
  const sortKey = ({ mode, name }: Row): Buffer => Buffer.concat([name, Buffer.from(mode === "40000" ? "/" : "")]);
  const sorted = [...rows].sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
  const body = Buffer.concat(
    sorted.flatMap(({ mode, name, oid }) => [Buffer.from(`${mode} `), name, Buffer.from([0]), Buffer.from(oid, "hex")]),
  );
  return stockGit(dir, ["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], { input: body });
}

function rowsOf(dir: string, tree: string | null): Row[] {
  if (tree === null) return [];
  const body = stockGitBytes(dir, ["cat-file", "tree", tree]);
  const rows: Row[] = [];
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const nul = body.indexOf(0, space);
    rows.push({
      mode: body.toString("latin1", at, space),
      name: body.subarray(space + 1, nul),
      oid: body.toString("hex", nul + 1, nul + 21),
    });
    at = nul + 21;
  }
  return rows;
}

function graft(dir: string, tree: string | null, parts: readonly string[], row: Row): string {
  const rows = rowsOf(dir, tree);
  const [head, ...rest] = parts;
  if (head === undefined) return rawTree(dir, [...rows.filter(({ name }) => !name.equals(row.name)), row]);
  const below = rows.find(({ name }) => name.toString() === head)?.oid ?? null;
  const grafted = { mode: "40000", name: Buffer.from(head), oid: graft(dir, below, rest, row) };
  return rawTree(dir, [...rows.filter(({ name }) => name.toString() !== head), grafted]);
}

/** Commits raw entries on top of the head, signed by the trusted key: what a rogue developer could push. */
export function commitRaw(spec: SpecCommits, entries: readonly RawEntry[], seconds: number): string {
  let tree = stockGit(spec.dir, ["rev-parse", `${spec.head}^{tree}`]);
  for (const { folder, mode, name, oid } of entries) {
    const row = { mode, name: Buffer.from(name), oid };
    tree = graft(spec.dir, tree, folder === "" ? [] : folder.split("/"), row);
  }
  const ident = { name: "Ana", email: "ana@acme.example", seconds, offset: "+0000" };
  const payload = encodeCommit({
    tree: toOid(tree),
    parents: [toOid(spec.head)],
    author: ident,
    committer: ident,
    message: "hostile\n",
  });
  const body = signedCommit(payload, signSshsig(specKey, "git", payload));
  const commit = stockGit(spec.dir, ["hash-object", "-w", "-t", "commit", "--literally", "--stdin"], { input: body });
  spec.move(commit);
  return commit;
}
