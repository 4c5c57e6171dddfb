import { readFileSync } from "node:fs";
import path from "node:path";

/** The root of the checkout or package: the nearest folder above this file with our package.json. */
export function packageRoot(): string {
  for (let dir = import.meta.dirname; dir !== path.dirname(dir); dir = path.dirname(dir)) {
    if (manifestOf(dir)?.name === "orrery") return dir;
  }
  throw new Error("package.json of orrery not found");
}

export function versionText(): string {
  return manifestOf(packageRoot())?.version ?? "0.0.0";
}

function manifestOf(dir: string): { readonly name?: string; readonly version?: string } | null {
  try {
    return JSON.parse(readFileSync(path.join(dir, "package.json"), "utf8")) as { name?: string; version?: string };
  } catch {
    return null;
  }
}
