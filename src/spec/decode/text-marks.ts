import type { LineCounter } from "yaml";
import type { TextMark } from "./positions.ts";

/** A text of a document: what it says, and where it is written. */
export interface WrittenText {
  readonly value: string;
  readonly source: string;
  /** Of `source`, in the document. */
  readonly start: number;
  readonly lines: LineCounter;
}

const opening = "${{";
const maxMarks = 100;

/**
 * Where the expressions of a text stand that is written over several lines or with escapes. [] where the two do not show
 * the same number of them: then one of them is written in a way that cannot be followed.
 */
export function textMarks({ value, source, start, lines }: WrittenText): readonly TextMark[] {
  const said = offsetsOf(value);
  const written = offsetsOf(source);
  if (said.length !== written.length || said.length > maxMarks) return [];
  return said.map((offset, index): TextMark => {
    const at = written[index] ?? 0;
    const { line, col } = lines.linePos(start + at);
    return [offset, line, col, sameFrom(value, offset, source, at)];
  });
}

function offsetsOf(text: string): readonly number[] {
  const found: number[] = [];
  for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, at + opening.length)) found.push(at);
  return found;
}

/** How far both go on alike, on one line. */
function sameFrom(value: string, from: number, source: string, at: number): number {
  let length = 0;
  while (from + length < value.length && value[from + length] === source[at + length] && value[from + length] !== "\n")
    length += 1;
  return length;
}
