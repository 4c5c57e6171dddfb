import { slipOf } from "../decode/advice.ts";
import type { Finding } from "../decode/finding.ts";
import { lastSegment } from "../decode/positions.ts";
import { nodeAt, pairsOf, rangeOf, type SpecNodes } from "./spec-nodes.ts";
import type { SpecFix } from "./text-edit.ts";

const suggestion = /^Did you mean `([A-Za-z_][\w-]*)`\?$/;

/** Unknown keys that are one slip away from a known one that is not there yet. */
export function keyFixes(nodes: SpecNodes, findings: readonly Finding[]): readonly SpecFix[] {
  return findings.flatMap((finding): readonly SpecFix[] => {
    const known = finding.code === "SPEC_UNKNOWN_KEY" ? suggestion.exec(finding.fix)?.[1] : undefined;
    const key = lastSegment(finding.pointer);
    if (known === undefined || slipOf(key, [known]) === null) return [];
    const parent = nodeAt(nodes.root, pathOf(parentOf(finding.pointer)));
    const pairs = pairsOf(parent);
    const range = rangeOf(pairs.find((pair) => pair.key.value === key)?.key);
    if (range === null || pairs.some((pair) => pair.key.value === known)) return [];
    const { line, col } = nodes.lines.linePos(range[0]);
    return [{ line, col, message: `${key} is ${known}`, edits: [{ start: range[0], end: range[1], text: known }] }];
  });
}

const parentOf = (pointer: string): string => pointer.slice(0, pointer.lastIndexOf("/"));

function pathOf(pointer: string): readonly (string | number)[] {
  const path = pointer.split("/").slice(1);
  return path.map((raw) => (/^\d+$/.test(raw) ? Number(raw) : lastSegment(`/${raw}`)));
}
