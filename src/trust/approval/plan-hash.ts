import { bytesOfText, canonicalText, type Hex, hexOf, type Sha256, type Steps } from "../../base/index.ts";
import { type TreeChange, treeChanges } from "../history/tree-changes.ts";
import type { ContentReader, TrustTreeEntry } from "../history/tree-reader.ts";

const blobsPerStep = 20;

export interface ChangedTrees {
  readonly before: string;
  readonly after: string;
}

/**
 * sha256(JCS([{path, before, after}] by path in byte order)), before and after = SHA-256 of the contents or null, for
 * every path that differs: what somebody approves, computable with Git alone. Of a submodule the contents are its
 * commit id in hex, of an empty folder nothing.
 */
export function* planHash(reader: ContentReader, { before, after }: ChangedTrees, sha256: Sha256): Steps<Hex> {
  const rows: { readonly path: string; readonly before: Hex | null; readonly after: Hex | null }[] = [];
  const hashOf = (entry: TrustTreeEntry | null): Hex | null => contentHash(reader, entry, sha256);
  for (const change of treeChanges(reader.readTree, before, after)) {
    rows.push({ path: change.path, before: hashOf(change.before), after: hashOf(change.after) });
    if (rows.length % blobsPerStep === 0) yield;
  }
  const keyed = rows.map((row) => ({ row, key: hexOf(bytesOfText(`${row.path}\u0000${row.before ?? ""}`)) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return hexOf(sha256(bytesOfText(canonicalText(keyed.map(({ row }) => row)))));
}

function contentHash(reader: ContentReader, entry: TrustTreeEntry | null, sha256: Sha256): Hex | null {
  if (entry === null) return null;
  if (entry.kind === "blob" || entry.kind === "symlink") return reader.contentSha256(entry.oid);
  return hexOf(sha256(bytesOfText(entry.kind === "submodule" ? entry.oid : "")));
}

/** A change as a value: what differs, from what to what. Equal exactly where the plan hashes are. */
export type ChangeMarks = ReadonlySet<string>;

export const changeMarks = (reader: ContentReader, trees: ChangedTrees): ChangeMarks =>
  new Set(Array.from(treeChanges(reader.readTree, trees.before, trees.after), markOf));

/** Do these trees differ by just this change? Stops at the first path that is another. */
export function isThatChange(reader: ContentReader, marks: ChangeMarks, trees: ChangedTrees): boolean {
  let left = marks.size;
  for (const change of treeChanges(reader.readTree, trees.before, trees.after)) {
    if (!marks.has(markOf(change))) return false;
    left -= 1;
  }
  return left === 0;
}

const markOf = ({ path, before, after }: TreeChange): string =>
  `${path}\u0000${before?.oid ?? ""}\u0000${after?.oid ?? ""}`;
