import type { PinnedFile } from "../spec/index.ts";

export { effectiveDag } from "../spec/effective-dag.ts";
export const statusReads = (when: string): readonly string[] =>
  [...when.matchAll(/steps\.([a-z_0-9]+)\.status/g)].map((m) => m[1] ?? "");
export const matchedFiles = (patterns: readonly string[], files: readonly PinnedFile[]): readonly PinnedFile[] =>
  files.filter((f) => patterns.some((p) => (p.endsWith("**") ? f.path.startsWith(p.slice(0, -2)) : p === f.path)));
