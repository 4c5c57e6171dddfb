import type { Hex } from "../../base/index.ts";
import { nodeAt, pairsOf, rangeOf, type SpecNodes } from "./spec-nodes.ts";
import type { SpecFix } from "./text-edit.ts";

/**
 * The digest of a plugin.js that stands beside a plugin.yaml without one. A digest that is there and differs is left: it
 * may be the bytes that are wrong.
 */
export function digestFixes(nodes: SpecNodes, sha256OfBytes: Hex | null): readonly SpecFix[] {
  const spec = nodeAt(nodes.root, ["spec"]);
  const [first] = pairsOf(spec);
  const start = rangeOf(first?.key)?.[0];
  if (sha256OfBytes === null || start === undefined || pairsOf(spec).some(({ key }) => key.value === "sha256"))
    return [];
  const { line, col } = nodes.lines.linePos(start);
  const written = `sha256: "${sha256OfBytes}"`;
  const isFlow = nodes.text.slice(0, start).trimEnd().endsWith("{");
  const text = isFlow ? `${written}, ` : `${written}\n${" ".repeat(col - 1)}`;
  return [{ line, col, message: "added sha256 of plugin.js", edits: [{ start, end: start, text }] }];
}
