import { Fault } from "../../base/index.ts";
import type { Oid } from "./object.ts";
import { nameDefect } from "./tree-name.ts";

export type TreeEntryKind = "blob" | "tree" | "symlink" | "submodule";

/** One entry as it stands in the tree. With a `defect` it must not be used; its neighbours may. */
export interface TreeEntry {
  /** Octal digits as written, `100644`. */
  readonly mode: string;
  readonly kind: TreeEntryKind;
  readonly name: string;
  readonly oid: Oid;
  /** Why the entry is unsafe, or null. */
  readonly defect: string | null;
}

/** What `encodeTree` needs of an entry. */
export type TreeEntryInput = Pick<TreeEntry, "mode" | "name" | "oid">;

const space = 0x20;
const oidBytes = 20;
const kinds = new Map<string, TreeEntryKind>([
  ["100644", "blob"],
  ["100755", "blob"],
  ["100664", "blob"],
  ["40000", "tree"],
  ["120000", "symlink"],
  ["160000", "submodule"],
]);

/**
 * All entries in stored order. One bad name is a defect of that entry alone, so that it cannot hide the rest of the
 * tree; only bytes that are no tree at all throw `REPO_CORRUPT`.
 */
export function decodeTree(body: Buffer): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  let previous: Buffer | null = null;
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(space, at);
    const end = blank < 0 ? -1 : body.indexOf(0, blank);
    if (end < 0 || end + 1 + oidBytes > body.length) throw new Fault("REPO_CORRUPT", "tree object is cut off");
    const nameBytes = body.subarray(blank + 1, end);
    const entry = entryOf(
      body.toString("latin1", at, blank),
      nameBytes,
      body.toString("hex", end + 1, end + 1 + oidBytes) as Oid,
    );
    const key = orderKey(nameBytes, entry.kind);
    const repeated = names.has(entry.name);
    const disordered = previous !== null && Buffer.compare(previous, key) >= 0;
    entries.push(withDefect(entry, repeated ? "name listed twice" : disordered ? "entry out of order" : null));
    names.add(entry.name);
    previous = key;
    at = end + 1 + oidBytes;
  }
  return entries;
}

/**
 * The bytes of a tree, entries in git's order. The caller gives safe, distinct names and known modes; anything else is
 * our own mistake (`INTERNAL`), never written.
 */
export function encodeTree(entries: readonly TreeEntryInput[]): Buffer {
  const names = new Set<string>();
  const rows = entries.map((entry) => {
    const nameBytes = Buffer.from(entry.name, "utf8");
    const checked = entryOf(entry.mode, nameBytes, entry.oid);
    const defect = checked.defect ?? (names.has(entry.name) ? "name listed twice" : null);
    if (defect !== null) throw new Fault("INTERNAL", `refused to write a tree entry: ${defect}`);
    names.add(entry.name);
    return { entry, nameBytes, key: orderKey(nameBytes, checked.kind) };
  });
  rows.sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(
    rows.flatMap(({ entry, nameBytes }) => [
      Buffer.from(`${entry.mode} `, "latin1"),
      nameBytes,
      Buffer.of(0),
      Buffer.from(entry.oid, "hex"),
    ]),
  );
}

function entryOf(mode: string, nameBytes: Buffer, oid: Oid): TreeEntry {
  const name = nameBytes.toString("utf8");
  const known = kinds.get(mode);
  const kind = known ?? kindByFormat(mode);
  const defect = known === undefined ? `mode ${JSON.stringify(mode.slice(0, 12))}` : nameDefect(name, nameBytes);
  return { mode, kind, name, oid, defect };
}

/** The kind that git would see behind a mode that it would not write. */
function kindByFormat(mode: string): TreeEntryKind {
  const format = /^[0-7]{1,7}$/.test(mode) ? Number.parseInt(mode, 8) & 0o170000 : 0;
  if (format === 0o040000) return "tree";
  if (format === 0o120000) return "symlink";
  return format === 0o160000 ? "submodule" : "blob";
}

const withDefect = (entry: TreeEntry, defect: string | null): TreeEntry =>
  defect === null || entry.defect !== null ? entry : { ...entry, defect };

/** Git sorts a directory as if its name ended in a slash. */
const orderKey = (name: Buffer, kind: TreeEntryKind): Buffer =>
  kind === "tree" ? Buffer.concat([name, Buffer.of(0x2f)]) : name;
