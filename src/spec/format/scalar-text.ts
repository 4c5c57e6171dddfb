import type { CST } from "yaml";

/**
 * A plain or quoted text as it is written, its further lines at `indent`. A single-quoted one becomes double-quoted where
 * both say the same.
 */
export function flowScalarText({ type, source }: CST.FlowScalar, indent: number): string {
  if (!source.includes("\n")) return type === "single-quoted-scalar" ? requoted(source) : source;
  // Blanks at the end of a quoted line may be escaped; those of a plain one never count.
  const kept = (line: string): string => (type === "scalar" ? line.trimEnd() : line);
  const [first = "", ...rest] = source.split("\n");
  const lines = rest.map((line) => {
    const text = line.trimStart();
    return text === "" ? "" : " ".repeat(indent) + kept(text);
  });
  return [kept(first), ...lines].join("\n");
}

function requoted(source: string): string {
  const inner = source.slice(1, -1).replaceAll("''", "'");
  return /["\\]/.test(inner) ? source : `"${inner}"`;
}

interface BlockLines {
  readonly lines: readonly string[];
  /** Blank lines at the end that are no part of the value. */
  readonly after: number;
}

/** The lines of a `|` or `>` scalar, moved as a whole; `indent` = that of the block which holds it. */
export function blockScalarLines(token: CST.BlockScalar, header: string, indent: number): BlockLines {
  if (token.source === "") return { lines: [], after: 0 };
  const all = token.source.replace(/\n$/, "").split("\n");
  const digit = /[1-9]/.exec(header)?.[0];
  const before = digit === undefined ? firstIndent(all) : Math.max(0, token.indent) + Number(digit);
  const after = " ".repeat(Math.max(0, indent) + (digit === undefined ? 2 : Number(digit)));
  const lines = all.map((line) => {
    const rest = line.slice(Math.min(before, leadingBlanks(line)));
    return rest === "" ? "" : after + rest;
  });
  if (header.includes("+")) return { lines, after: 0 };
  let count = 0;
  while (lines.length > 0 && lines.at(-1) === "") {
    lines.pop();
    count += 1;
  }
  return { lines, after: count };
}

const leadingBlanks = (line: string): number => line.length - line.replace(/^ +/, "").length;

/** Of the first line that holds anything; where none does, no blank means anything. */
function firstIndent(lines: readonly string[]): number {
  const first = lines.find((line) => /[^ ]/.test(line));
  return first === undefined ? Infinity : leadingBlanks(first);
}
