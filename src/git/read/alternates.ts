import { join, resolve } from "node:path";
import { readRegularFile } from "./regular-file.ts";

const maxDepth = 5;
const maxDirectories = 64;
const maxFileBytes = 1 << 20;

/** The objects directory and those it borrows from, nearest first. Cycles and what lies too deep are left out. */
export function objectDirectories(objectsDir: string): readonly string[] {
  const found = new Set<string>([objectsDir]);
  let level: readonly string[] = [objectsDir];
  for (let depth = 0; depth < maxDepth && level.length > 0; depth++) {
    const next = level.flatMap((dir) => alternatesOf(dir)).filter((dir) => !found.has(dir));
    for (const dir of next) if (found.size < maxDirectories) found.add(dir);
    level = next;
  }
  return [...found];
}

function alternatesOf(objectsDir: string): readonly string[] {
  const bytes = readRegularFile(join(objectsDir, "info", "alternates"), maxFileBytes, "alternates");
  const lines = bytes?.toString("utf8").split("\n") ?? [];
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => resolve(objectsDir, unquoted(line)));
}

/** Git quotes a path that holds special characters in C style. */
function unquoted(line: string): string {
  if (!line.startsWith('"') || !line.endsWith('"')) return line;
  return line
    .slice(1, -1)
    .replace(/\\([0-7]{3}|.)/gu, (_, escape: string) =>
      escape.length === 3 ? String.fromCharCode(Number.parseInt(escape, 8)) : escape,
    );
}
