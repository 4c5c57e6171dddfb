import path from "node:path";
import { sha256Hex } from "../../base/node-digest.ts";
import type { Oid, WalkedEntry } from "../../git/index.ts";
import { classifyPath, documentCaps, type FixedDocument, fixDocument } from "../../spec/index.ts";
import { replaceFile } from "../fmt/replace-file.ts";
import type { SpecPlace } from "../place/spec-place.ts";

export interface FixedFile {
  readonly path: string;
  readonly fixes: FixedDocument["fixes"];
}

/** Makes the safe fixes in the files of a work tree, in path order. Each file is replaced as a whole or left as it is. */
export function fixFiles(place: SpecPlace): readonly FixedFile[] {
  const { tree } = place.source.readCommit(place.revision);
  return documentEntries(place, tree).flatMap(({ path: file, entry }): readonly FixedFile[] => {
    // A link is never followed, and what has a defect is not read.
    if (entry.kind !== "blob" || entry.defect !== null || classifyPath(file) === null) return [];
    const bytes = place.source.readBlob(entry.oid);
    const text = textOf(bytes);
    const fixed =
      text === null ? null : fixDocument({ path: file, text, sha256OfBytes: pluginDigest(place, tree, file) });
    if (fixed === null) return [];
    // One that somebody saved meanwhile is left alone.
    const isReplaced = replaceFile(path.join(place.path, file), fixed.text, bytes);
    return isReplaced ? [{ path: file, fixes: fixed.fixes }] : [];
  });
}

/** The folders that specs stand in: a work tree may hold anything else besides. */
function documentEntries({ source }: SpecPlace, tree: Oid): readonly WalkedEntry[] {
  const root = source.entryAt(tree, "orrery.yaml");
  const folders = ["plugins", "sites", "tenants"].flatMap((name) => {
    const folder = source.entryAt(tree, name);
    return folder?.kind === "tree" && folder.defect === null ? [...source.walkTree(folder.oid, name)] : [];
  });
  return [...(root === null ? [] : [{ path: "orrery.yaml", entry: root }]), ...folders];
}

/** Null for what would not come back byte for byte. */
function textOf(bytes: Buffer): string | null {
  if (bytes.length > documentCaps.hardBytes) return null;
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : null;
}

function pluginDigest(place: SpecPlace, tree: Oid, file: string): string | null {
  if (!file.endsWith("/plugin.yaml")) return null;
  const entry = place.source.entryAt(tree, file.replace(/plugin\.yaml$/, "plugin.js"));
  return entry?.kind === "blob" && entry.defect === null ? sha256Hex(place.source.readBlob(entry.oid)) : null;
}
