import type { Hex } from "../../base/index.ts";
import { decodeDocument } from "../decode/decode-document.ts";
import { classifyPath, type DocumentPath } from "../decode/document-path.ts";
import type { Finding } from "../decode/finding.ts";
import { digestFixes } from "./digest-fixes.ts";
import { headerFixes } from "./header-fixes.ts";
import { keyFixes } from "./key-fixes.ts";
import { type SpecNodes, specNodes } from "./spec-nodes.ts";
import { needsFixes, stepNameFixes } from "./step-fixes.ts";
import { type SpecFix, withEdits } from "./text-edit.ts";

export interface FixRequest {
  readonly path: string;
  readonly text: string;
  /** Of the plugin.js beside a plugin.yaml, else null. */
  readonly sha256OfBytes: Hex | null;
}

export interface FixedDocument {
  readonly text: string;
  /** In the order they were made; places are those of the text before each. */
  readonly fixes: readonly Omit<SpecFix, "edits">[];
}

/** Each fix shows what stood behind it: a misspelt key inside a misspelt key. */
const maxRounds = 40;

/**
 * A document with its safe fixes made, comments and layout kept; null where there is none. A fix counts only if the
 * document is decoded with fewer findings then: what is not sure is left to a person. A second run changes nothing.
 */
export function fixDocument({ path, text, sha256OfBytes }: FixRequest): FixedDocument | null {
  const where = classifyPath(path);
  if (where === null) return null;
  const fixes: Omit<SpecFix, "edits">[] = [];
  let at = text;
  for (let round = 0; round < maxRounds; round += 1) {
    const made = firstSafe({ path, text: at, sha256OfBytes }, where);
    if (made === null) break;
    at = made.text;
    fixes.push(made.fix);
  }
  return fixes.length === 0 ? null : { text: at, fixes };
}

function firstSafe(request: FixRequest, where: DocumentPath) {
  const { path, text, sha256OfBytes } = request;
  const before = findingsOf(path, text);
  const nodes = before.length === 0 ? null : specNodes(text);
  if (nodes === null) return null;
  for (const { edits, ...fix } of candidates(nodes, before, where, sha256OfBytes)) {
    const fixed = withEdits(text, edits);
    if (isBetter(before, findingsOf(path, fixed))) return { text: fixed, fix };
  }
  return null;
}

function candidates(
  nodes: SpecNodes,
  findings: readonly Finding[],
  where: DocumentPath,
  sha256OfBytes: Hex | null,
): readonly SpecFix[] {
  return [
    // Names before what is missing: `apiversion` is not a second apiVersion.
    ...keyFixes(nodes, findings),
    ...headerFixes(nodes, where),
    ...(where.kind === "Dag" ? [...stepNameFixes(nodes), ...needsFixes(nodes)] : []),
    ...(where.kind === "Plugin" ? digestFixes(nodes, sha256OfBytes) : []),
  ];
}

function findingsOf(path: string, text: string): readonly Finding[] {
  const decoded = decodeDocument({ path, bytes: new TextEncoder().encode(text) });
  return decoded.ok ? [] : decoded.findings;
}

/**
 * Fewer findings, or none of those before: until kind and schema are right, what lies behind them is not judged, so other
 * findings may appear. A list that is as long as it can be shows no length.
 */
function isBetter(before: readonly Finding[], after: readonly Finding[]): boolean {
  if (after.length < before.length) return true;
  const left = new Set(after.map(keyOf));
  const gone = before.filter((finding) => !left.has(keyOf(finding))).length;
  return gone === before.length || (gone > 0 && before.length >= longList);
}

const longList = 50;

const keyOf = ({ code, message }: Finding): string => `${code} ${message}`;
