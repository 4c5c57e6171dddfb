import { isScalar } from "yaml";
import type { DocumentPath } from "../decode/document-path.ts";
import { pairsOf, rangeOf, type SpecNodes } from "./spec-nodes.ts";
import type { SpecFix } from "./text-edit.ts";

/** `apiVersion` and `kind` that the path calls for, where they are missing or differ in case alone. */
export function headerFixes({ root, text, lines }: SpecNodes, where: DocumentPath): readonly SpecFix[] {
  // A flow mapping as a whole document is read and never written by people.
  if (root.flow === true) return [];
  const pairs = pairsOf(root);
  const has = (key: string): boolean => pairs.some((pair) => pair.key.value === key);
  const missing = [
    ...(has("apiVersion") ? [] : ["apiVersion: orrery/v1"]),
    ...(has("kind") ? [] : [`kind: ${where.kind}`]),
  ];
  return [...missingFix(missing, { root, text, lines }), ...kindCaseFix({ root, text, lines }, where)];
}

function missingFix(missing: readonly string[], { root, text, lines }: SpecNodes): readonly SpecFix[] {
  const apiVersion = pairsOf(root).find((pair) => pair.key.value === "apiVersion");
  const first = rangeOf(root)?.[0];
  if (missing.length === 0 || first === undefined) return [];
  // `kind` stands behind an `apiVersion` that is there.
  const after = apiVersion === undefined ? null : (rangeOf(apiVersion.value)?.[1] ?? null);
  const start = after === null ? first : lineEnd(text, after);
  const { line, col } = lines.linePos(first);
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const lead = start > 0 && text[start - 1] !== "\n" && after !== null ? eol : "";
  return [
    {
      ...{ line, col, message: `added ${missing.join(" and ")}` },
      edits: [{ start, end: start, text: `${lead}${missing.join(eol)}${eol}` }],
    },
  ];
}

function kindCaseFix({ root, lines }: SpecNodes, where: DocumentPath): readonly SpecFix[] {
  const value = pairsOf(root).find((pair) => pair.key.value === "kind")?.value;
  const range = rangeOf(value);
  if (!isScalar(value) || typeof value.value !== "string" || range === null) return [];
  if (value.value === where.kind || value.value.toLowerCase() !== where.kind.toLowerCase()) return [];
  const { line, col } = lines.linePos(range[0]);
  const edits = [{ start: range[0], end: range[1], text: where.kind }];
  return [{ line, col, message: `kind: ${value.value} is ${where.kind}`, edits }];
}

/** Behind the line end that follows an offset. */
function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end + 1;
}
