import { type CST, LineCounter, Parser } from "yaml";
import { canonicalText } from "../../base/index.ts";
import type { Finding } from "../decode/finding.ts";
import { decodeYaml, type YamlSource } from "../decode/yaml-document.ts";
import { layOut } from "./layout.ts";
import { NoLayout, piecesOf } from "./pieces.ts";

export type FormattedDocument =
  | { readonly ok: true; readonly text: string }
  /** It cannot be read, or has no canonical layout: it is to be left alone. */
  | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * The canonical layout of one document: two blanks a level, `{ a: 1 }` and `[a]`, lists below their key, one blank line at
 * most, comments kept and aligned, apiVersion, kind, metadata, spec in this order. No other key moves, no line is broken
 * or joined but a value behind its key or dash. The result says the same: this is checked, not hoped for.
 */
export function formatDocument({ path, bytes }: YamlSource): FormattedDocument {
  const before = decodeYaml({ path, bytes });
  if (!before.ok) return before;
  const text = new TextDecoder("utf-8").decode(bytes).replaceAll("\r\n", "\n");
  const tokens = [...new Parser().parse(text)];
  let formatted: string;
  try {
    formatted = layOut(piecesOf(tokens, text));
  } catch (error) {
    if (!(error instanceof NoLayout)) throw error;
    return leftAlone(path, text, error);
  }
  const after = decodeYaml({ path, bytes: new TextEncoder().encode(formatted) });
  const same = after.ok && canonicalText(after.value) === canonicalText(before.value);
  if (same && commentsOf(formatted) === commentsOf(text)) return { ok: true, text: formatted };
  return leftAlone(path, text, new NoLayout("its layout would change what it says", 0));
}

function leftAlone(path: string, text: string, { message, offset }: NoLayout): FormattedDocument {
  const lines = new LineCounter();
  for (let at = 0; at >= 0; at = text.indexOf("\n", at) + 1 || -1) lines.addNewLine(at);
  const { line, col } = lines.linePos(offset);
  const finding: Finding = {
    ...{ code: "SPEC_LAYOUT", severity: "error", path, line, col, pointer: "" },
    message: `${message}: left as it is`,
    fix: "Write it in a plainer way, as `key: value`.",
  };
  return { ok: false, findings: [finding] };
}

/** All comments, whatever order their keys stand in. */
const commentsOf = (text: string): string =>
  commentsIn([...new Parser().parse(text)])
    .sort()
    .join("\n");

function commentsIn(tokens: readonly CST.Token[]): string[] {
  const found: string[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    else if (typeof node === "object" && node !== null) {
      const { type, source } = node as { readonly type?: unknown; readonly source?: unknown };
      if (type === "comment" && typeof source === "string") found.push(source.trimEnd());
      else Object.values(node).forEach(walk);
    }
  };
  walk(tokens);
  return found;
}
