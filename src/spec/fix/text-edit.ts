/** One replacement in a text; offsets in UTF-16 units. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One safe fix: all its edits or none. */
export interface SpecFix {
  /** Place of the first edit before it is made, from 1. */
  readonly line: number;
  readonly col: number;
  readonly message: string;
  readonly edits: readonly TextEdit[];
}

/** The text with edits made; those that overlap an earlier one are left out. */
export function withEdits(text: string, edits: readonly TextEdit[]): string {
  const ordered = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  let result = "";
  let at = 0;
  for (const { start, end, text: replacement } of ordered) {
    if (start < at) continue;
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}
