import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";

/** Puts new text in the place of a file, whole or not at all; its mode stays. Fault REPO_NOT_WRITABLE. */
export function replaceFile(file: string, text: string): void {
  const next = path.join(path.dirname(file), `.${path.basename(file)}.orrery-${String(process.pid)}`);
  try {
    writeFileSync(next, text, { mode: statSync(file).mode & 0o777, flag: "wx", flush: true });
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw new Fault("REPO_NOT_WRITABLE", `${file} cannot be written`, { cause: error });
  }
}
