import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, visit, type YAMLMap } from "yaml";
import type { CodeName, Json, JsonObject } from "../../base/index.ts";
import type { Finding } from "./finding.ts";
import { type Position, type Positions, packPositions, pointerTo } from "./positions.ts";
import { textMarks } from "./text-marks.ts";
import { CapExceeded, composeYaml, documentCaps } from "./yaml-tokens.ts";

export interface YamlSource {
  /** Repository path; stands in findings. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export type DecodedYaml =
  | { readonly ok: true; readonly value: Json; readonly positions: Positions; readonly warnings: readonly Finding[] }
  | {
      readonly ok: false;
      readonly findings: readonly Finding[];
      /** Where nothing but repeated keys is wrong: with the last of each. */
      readonly read?: { readonly value: Json; readonly positions: Positions };
    };

const maxFindings = 50;

/**
 * Reads one YAML 1.2 core document into I-JSON with the place of every node. Anchors, aliases, tags, directives,
 * duplicate keys, non-finite and unsafe numbers, and whatever `yaml` only warns of, are findings. Time is bounded by
 * the caps for any bytes.
 */
export function decodeYaml({ path, bytes }: YamlSource): DecodedYaml {
  const refuse = (code: CodeName, place: readonly [number, number], message: string, fix: string): DecodedYaml => ({
    ok: false,
    findings: [{ code, severity: "error", path, line: place[0], col: place[1], pointer: "", message, fix }],
  });
  if (bytes.length > documentCaps.hardBytes) {
    return refuse("SPEC_TOO_LARGE", [0, 0], "over 256 KiB: not read", "Split it, or move data to files/.");
  }
  const text = decodeUtf8(bytes);
  if (text === null) return refuse("SPEC_ENCODING", [0, 0], "not UTF-8", "Save the file as UTF-8.");
  const nul = text.indexOf("\u0000");
  if (nul >= 0) return refuse("SPEC_ENCODING", placeIn(text, nul), "U+0000 in the text", "Remove it.");
  const lines = new LineCounter();
  let parsed: readonly Document.Parsed[];
  try {
    parsed = composeYaml(text, lines);
  } catch (error) {
    // yaml throws on some malformed input (its own asserts, recursion): a broken document, never a broken daemon.
    if (!(error instanceof CapExceeded))
      return refuse("SPEC_YAML", [0, 0], "the document cannot be parsed", "Correct the syntax.");
    return refuse("SPEC_TOO_LARGE", placeIn(text, error.offset), error.message, "Make it smaller or flatter.");
  }
  return readDocument({ path, bytes }, parsed, { text, lines });
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function placeIn(text: string, offset: number): readonly [number, number] {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return [before.split("\n").length, offset - lineStart + 1];
}

interface Text {
  readonly text: string;
  readonly lines: LineCounter;
}

interface Walk extends Text {
  readonly positions: Record<string, Position>;
  readonly report: (
    code: CodeName,
    offset: number,
    pointer: string,
    say: readonly [message: string, fix: string],
  ) => void;
}

function readDocument(source: YamlSource, parsed: readonly Document.Parsed[], { text, lines }: Text): DecodedYaml {
  const findings: Finding[] = [];
  const report: Walk["report"] = (code, offset, pointer, [message, fix]) => {
    if (findings.length >= maxFindings) return;
    const { line, col } = lines.linePos(offset);
    findings.push({ code, severity: "error", path: source.path, line, col, pointer, message, fix });
  };
  const walk: Walk = { text, lines, positions: {}, report };
  const [document, second] = parsed;
  if (document !== undefined) reportDocument(document, report);
  if (second !== undefined) {
    report("SPEC_YAML", second.range[0], "", ["a second document", "One document a file: remove what follows `---`."]);
  }
  if (document === undefined || document.contents === null || isEmpty(document.contents)) {
    if (findings.length === 0)
      report("SPEC_YAML", 0, "", ["the file is empty", "Write a document or remove the file."]);
    return { ok: false, findings };
  }
  reportOpenQuote(document.contents, walk);
  const value = toJson(document.contents, "", document.contents, walk);
  const positions = packPositions(walk.positions);
  if (findings.length === 0) return { ok: true, value, positions, warnings: sizeWarnings(source) };
  const onlyRepeats = findings.every(({ code }) => code === "SPEC_DUPLICATE_KEY");
  return { ok: false, findings, ...(onlyRepeats ? { read: { value, positions } } : {}) };
}

function reportDocument(document: Document.Parsed, report: Walk["report"]): void {
  if (document.directives.yaml.explicit === true || Object.keys(document.directives.tags).length > 1) {
    report("SPEC_YAML_FEATURE", 0, "", ["a % directive", "Remove it: documents are YAML 1.2 core."]);
  }
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    // A tag that yaml does not know is only its warning; the walk names it better.
    if (!message.startsWith("Unresolved tag"))
      report("SPEC_YAML", pos[0], "", [yamlMessage(message), "Correct the syntax."]);
  }
}

/** `yaml` only looks whether the last character is a quote: in `'it''` and `"\\"` that one belongs to the text. */
function reportOpenQuote(contents: Node, { text, report }: Walk): void {
  const last = text.length - 1;
  const mark = text[last] ?? "";
  if (mark !== "'" && mark !== '"') return;
  const wanted = mark === "'" ? "QUOTE_SINGLE" : "QUOTE_DOUBLE";
  const escape = mark === "'" ? "'" : "\\";
  visit(contents, {
    Scalar: (_key, { range, type }) => {
      if (type !== wanted || range?.[1] !== text.length || range[0] === last) return;
      let escapes = 0;
      while (last - 1 - escapes > range[0] && text[last - 1 - escapes] === escape) escapes += 1;
      if (escapes % 2 === 1) report("SPEC_YAML", range[0], "", [`Missing closing ${mark}quote`, "Correct the syntax."]);
    },
  });
}

const isEmpty = (node: Node): boolean => isScalar(node) && node.value === null && node.source === "";

const yamlMessage = (message: string): string =>
  message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "";

function sizeWarnings({ path, bytes }: YamlSource): readonly Finding[] {
  if (bytes.length <= documentCaps.warnBytes) return [];
  const message = `${String(Math.ceil(bytes.length / 1024))} KiB; documents over 64 KiB are hard to review`;
  const fix = "Move data to files/.";
  return [{ code: "SPEC_TOO_LARGE", severity: "warning", path, line: 1, col: 1, pointer: "", message, fix }];
}

/** The value of a node; `keyed` is the node whose place names it (its key, or itself). */
function toJson(node: Node | null, pointer: string, keyed: Node | null, walk: Walk): Json {
  const keyStart = startOf(keyed ?? node, 0);
  const start = startOf(node, keyStart);
  const valueAt = walk.lines.linePos(start);
  const keyAt = walk.lines.linePos(keyStart);
  walk.positions[pointer] = [valueAt.line, valueAt.col, keyAt.line, keyAt.col];
  if (node === null || hasForeignFeature(node, start, pointer, walk)) return null;
  if (isMap(node)) return mapToJson(node, pointer, walk);
  if (isSeq(node)) return seqToJson(node.items as readonly (Node | null)[], pointer, walk);
  return isScalar(node) ? scalarToJson(node.value, [start, node.range?.[1] ?? start], pointer, walk) : null;
}

const startOf = (node: Node | null, otherwise: number): number => node?.range?.[0] ?? otherwise;

const seqToJson = (items: readonly (Node | null)[], pointer: string, walk: Walk): readonly Json[] =>
  items.map((item, index) => toJson(item, pointerTo(pointer, index), item, walk));

function hasForeignFeature(node: Node, start: number, pointer: string, walk: Walk): boolean {
  const fix = "Write the value out.";
  // A node's range begins after its properties.
  const before = (mark: string): number => Math.max(0, walk.text.lastIndexOf(mark, start));
  if (isAlias(node)) walk.report("SPEC_YAML_FEATURE", start, pointer, [`an alias (*${node.source})`, fix]);
  else if (node.anchor !== undefined) {
    walk.report("SPEC_YAML_FEATURE", before(`&${node.anchor}`), pointer, [`an anchor (&${node.anchor})`, fix]);
  } else if (node.tag !== undefined) {
    const mark = before("!");
    const tagStart = walk.text[mark - 1] === "!" ? mark - 1 : mark;
    walk.report("SPEC_YAML_FEATURE", tagStart, pointer, [`a tag (${node.tag})`, fix]);
  } else return false;
  return true;
}

function mapToJson(map: YAMLMap, pointer: string, walk: Walk): JsonObject {
  const value: Record<string, Json> = {};
  const seen = new Set<string>();
  for (const { key, value: member } of map.items as readonly { key: unknown; value: unknown }[]) {
    // Anything else is already an error of the composer (NON_STRING_KEY).
    if (!isScalar(key) || typeof key.value !== "string") continue;
    const at = pointerTo(pointer, key.value);
    const start = key.range?.[0] ?? 0;
    if (hasForeignFeature(key, start, at, walk)) continue;
    if (seen.has(key.value))
      walk.report("SPEC_DUPLICATE_KEY", start, at, [`"${key.value}" is there twice`, "Remove one."]);
    seen.add(key.value);
    if (key.value === "__proto__" || !key.value.isWellFormed()) {
      walk.report("SPEC_UNKNOWN_KEY", start, at, [`${JSON.stringify(key.value)} cannot be a key`, "Rename it."]);
      continue;
    }
    value[key.value] = toJson(member as Node | null, at, key, walk);
  }
  return value;
}

type NodeRange = readonly [start: number, end: number];

function scalarToJson(value: unknown, range: NodeRange, pointer: string, walk: Walk): Json {
  const [start] = range;
  if (typeof value === "number") {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
    walk.report("SPEC_TYPE", start, pointer, [
      "a number that JSON cannot carry exactly",
      "Quote it, or use a smaller one.",
    ]);
    return null;
  }
  if (typeof value === "string") {
    noteText(value, range, pointer, walk);
    if (value.isWellFormed() && !value.includes("\u0000")) return value;
    walk.report("SPEC_ENCODING", start, pointer, ["U+0000 or a lone surrogate in a text", "Remove it."]);
    return null;
  }
  return typeof value === "boolean" ? value : null;
}

/** So that a finding within a text (an expression, a secret) names its own place. */
function noteText(value: string, range: NodeRange, pointer: string, { positions, text, lines }: Walk): void {
  const [start, end] = range;
  const at = positions[pointer];
  if (at === undefined || value === "") return;
  const shift = value.includes("\n") ? undefined : [0, 1].find((width) => text.startsWith(value, start + width));
  // Conditions and lists lose their outer blanks in normal form, which findings count from.
  const lead = /\/(?:when|forEach\/in)$/.test(pointer) ? value.length - value.trimStart().length : 0;
  if (shift !== undefined) positions[pointer] = [at[0], at[1], at[2], at[3], shift + lead];
  else if (value.includes("${{")) {
    const marks = textMarks({ value: value.slice(lead), source: text.slice(start, end), start, lines });
    positions[pointer] = [at[0], at[1], at[2], at[3], marks];
  }
}
