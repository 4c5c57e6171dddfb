/**
 * Places of a document by RFC 6901 pointer: line and column of the value, then of its key (itself where it has none);
 * for a text that stands on one line as it is, how far it begins after that column (1 behind a quote).
 */
export type Positions = Readonly<Record<string, Position>>;
export type Position = readonly [line: number, col: number, keyLine: number, keyCol: number, textShift?: number];

/** Counts from 1; 0 where there is no place. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

/** The place of a pointer, or of its nearest ancestor that stands in the file (a shorthand has fewer places). */
export function positionOf(positions: Positions, pointer: string, what: "value" | "key" = "value"): Place {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = positions[at];
    if (found !== undefined) {
      return what === "value" ? { line: found[0], col: found[1] } : { line: found[2], col: found[3] };
    }
    if (at === "") return { line: 0, col: 0 };
  }
}

export const pointerTo = (parent: string, key: string | number): string =>
  `${parent}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** The last segment of a pointer, unescaped. */
export const lastSegment = (pointer: string): string =>
  pointer
    .slice(pointer.lastIndexOf("/") + 1)
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");

/** `/spec/steps/collect` as a person reads it: `spec.steps.collect`. */
export const dotted = (pointer: string): string =>
  pointer === "" ? "the document" : pointer.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
