import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { type HookName, hookScript, isOurs } from "./hook-script.ts";

export interface HookInstall {
  readonly folder: string;
  readonly name: HookName;
  readonly ref: string;
  readonly command: readonly string[];
  /** Put a foreign hook aside instead of refusing. */
  readonly force: boolean;
}

export interface InstalledHook {
  readonly file: string;
  /** Where the foreign hook lies now; null where there was none. */
  readonly kept: string | null;
}

/** Writes a hook, whole or not at all; one of ours is written anew. Fault HOOK_FOREIGN for any other without `force`. */
export function installHook({ folder, name, ref, command, force }: HookInstall): InstalledHook {
  const file = path.join(folder, name);
  const isForeign = stands(file) && !isOursAt(file, name);
  if (isForeign && !force) throw new Fault("HOOK_FOREIGN", `${file} is not ours`);
  mkdirSync(folder, { recursive: true });
  const kept = isForeign ? freeName(file) : null;
  const next = `${file}.orrery-new`;
  writeFileSync(next, hookScript({ name, ref, command }), { mode: 0o755, flush: true });
  if (kept !== null) renameSync(file, kept);
  renameSync(next, file);
  return { file, kept };
}

const stands = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false }) !== undefined;

/** A link is somebody's own arrangement, whatever it leads to. */
const isOursAt = (file: string, name: HookName): boolean =>
  lstatSync(file).isFile() && isOurs(readFileSync(file, "utf8"), name);

function freeName(file: string): string {
  for (let n = 0; ; n += 1) {
    const name = `${file}.before-orrery${n === 0 ? "" : `-${String(n)}`}`;
    if (!stands(name)) return name;
  }
}
