import { lstatSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";

/**
 * Puts new text in the place of a file, whole or not at all; its mode stays. With the bytes that were read `before`:
 * false where somebody changed it meanwhile, or put something else there; then it is left alone. Fault FILE_NOT_WRITABLE.
 */
export function replaceFile(file: string, text: string, before: Uint8Array | null = null): boolean {
  const next = path.join(path.dirname(file), `.${path.basename(file)}.orrery-${String(process.pid)}`);
  try {
    if (before !== null && !(lstatSync(file).isFile() && readFileSync(file).equals(before))) return false;
    writeFileSync(next, text, { mode: statSync(file).mode & 0o777, flag: "wx", flush: true });
    renameSync(next, file);
    return true;
  } catch (error) {
    rmSync(next, { force: true });
    throw new Fault("FILE_NOT_WRITABLE", `${file} cannot be written`, { cause: error });
  }
}
