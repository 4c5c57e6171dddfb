import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";

/**
 * Writes files that are not there yet; all or none: FILE_EXISTS names the first that stands in the way, and nothing is
 * written. No folder on the way may be a link, which could lead out of the work tree.
 */
export function writeNew(root: string, files: ReadonlyMap<string, string>): void {
  for (const name of files.keys()) checkFree(root, name);
  for (const [name, text] of files) writeFresh(root, name, text);
}

/** Writes one file that is not there yet, with its folders. Fault FILE_NOT_WRITABLE. */
export function writeFresh(root: string, name: string, text: string): void {
  const file = path.join(root, name);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const { code = "no reason given" } = error as NodeJS.ErrnoException;
    throw new Fault("FILE_NOT_WRITABLE", `${name}: ${code}`, { cause: error });
  }
}

/** Whether anything stands at a path of the work tree. */
export const stands = (root: string, name: string): boolean =>
  lstatSync(path.join(root, name), { throwIfNoEntry: false }) !== undefined;

function checkFree(root: string, name: string): void {
  checkFolders(root, name);
  if (stands(root, name)) throw new Fault("FILE_EXISTS", `${name} stands there already`);
}

/** Fault FILE_EXISTS where something on the way to a path is no folder of its own: a link would lead out of the tree. */
export function checkFolders(root: string, name: string): void {
  const parts = name.split("/");
  for (let n = 1; n < parts.length; n += 1) {
    const folder = parts.slice(0, n).join("/");
    const stat = lstatSync(path.join(root, folder), { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) throw new Fault("FILE_EXISTS", `${folder} is no folder`);
  }
}
