import { readFileSync } from "node:fs";
import path from "node:path";
import { replaceFile } from "../fmt/replace-file.ts";
import type { Terminal } from "../terminal.ts";
import { editorFiles } from "./editor-files.ts";
import { checkFolders, stands, writeNew } from "./write-new.ts";

/**
 * Brings schemas/ and the editor settings of a work tree to those of this version; answers what it wrote. A file that is
 * not ours (no schema of this name, settings that people changed) stays, and is named.
 */
export function refreshSchemas(root: string, terminal: Pick<Terminal, "note">): readonly string[] {
  const files = [...editorFiles()];
  for (const [name] of files) checkFolders(root, name);
  const fresh = files.filter(([name]) => !stands(root, name));
  const stale = files.filter(([name, text]) => stands(root, name) && textAt(root, name) !== text);
  const ours = stale.filter(([name]) => isOurSchema(name, textAt(root, name)));
  writeNew(root, new Map(fresh));
  for (const [name, text] of ours) replaceFile(path.join(root, name), text);
  for (const [name] of stale)
    if (!ours.some(([other]) => other === name)) terminal.note(`${name} differs from ours and was left as it is`);
  return [...fresh, ...ours].map(([name]) => name).sort();
}

function textAt(root: string, name: string): string | null {
  try {
    return readFileSync(path.join(root, name), "utf8");
  } catch {
    return null;
  }
}

function isOurSchema(name: string, text: string | null): boolean {
  if (text === null || !name.startsWith("schemas/")) return false;
  try {
    return (JSON.parse(text) as { readonly $id?: unknown } | null)?.$id === path.posix.basename(name);
  } catch {
    return false;
  }
}
