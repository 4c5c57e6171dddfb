import type { Json } from "../../base/index.ts";
import { pointerTo } from "../decode/positions.ts";

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  /** `offset` = where `source` begins in the whole text. */
  | { readonly kind: "expression"; readonly source: string; readonly offset: number };

export type Template =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  | { readonly ok: false; readonly message: string; readonly offset: number };

/** Splits a text at its `${{ }}`; the end of an expression is found past strings, comments and braces of its own. */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (let open = text.indexOf("${{"); open >= 0; open = text.indexOf("${{", at)) {
    const offset = open + 3;
    const end = expressionEnd(text, offset);
    if (end === null) return { ok: false, message: "${{ without its }}", offset: open };
    if (open > at) parts.push({ kind: "text", text: text.slice(at, open) });
    parts.push({ kind: "expression", source: text.slice(offset, end), offset });
    at = end + 2;
  }
  if (at < text.length) parts.push({ kind: "text", text: text.slice(at) });
  return { ok: true, parts };
}

/** The expression that a text is as a whole (white space around it does not count), else null. */
export function wholeExpression(
  parts: readonly TemplatePart[],
): (TemplatePart & { readonly kind: "expression" }) | null {
  const told = parts.filter((part) => part.kind === "expression" || part.text.trim() !== "");
  const [only] = told;
  return told.length === 1 && only?.kind === "expression" ? only : null;
}

const stringToken = /[rR]?("""|'''|"|')/y;

function expressionEnd(text: string, from: number): number | null {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    stringToken.lastIndex = at;
    const quote = stringToken.exec(text);
    if (quote !== null) {
      const end = stringEnd(text, at, quote);
      if (end === null) return null;
      at = end - 1;
    } else if (text.startsWith("//", at)) {
      const newline = text.indexOf("\n", at);
      if (newline < 0) return null;
      at = newline;
    } else if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && depth > 0) depth -= 1;
    else if (text.startsWith("}}", at)) return at;
  }
  return null;
}

function stringEnd(text: string, at: number, token: RegExpExecArray): number | null {
  const quote = token[1] ?? "";
  const raw = token[0].length > quote.length;
  for (let end = at + token[0].length; end < text.length; end++) {
    if (!raw && text[end] === "\\") end += 1;
    else if (text.startsWith(quote, end)) return end + quote.length;
  }
  return null;
}

/** Each text of a value that holds `${{`, with its pointer; keys are no templates. */
export function templateTexts(
  value: Json,
  pointer = "",
): readonly { readonly pointer: string; readonly text: string }[] {
  if (typeof value === "string") return value.includes("${{") ? [{ pointer, text: value }] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => templateTexts(member, pointerTo(pointer, key)));
}
