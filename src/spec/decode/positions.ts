/**
 * Places of a document by RFC 6901 pointer, as one text: threads hand it over at the cost of a string, and of ten
 * thousand documents few are asked for one.
 */
export interface Positions {
  readonly packed: string;
}

/**
 * Line and column of the value, then of its key (itself where it has none); then, for a text that stands on one line as it
 * is, how far it begins after that column (1 behind a quote), for any other one the places of its expressions.
 */
export type Position = readonly [
  line: number,
  col: number,
  keyLine: number,
  keyCol: number,
  within?: number | readonly TextMark[],
];

/** From an offset of the value on, `same` characters stand in the file from a place on. */
export type TextMark = readonly [offset: number, line: number, col: number, same: number];

/** Counts from 1; 0 where there is no place. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

export const packPositions = (places: Readonly<Record<string, Position>>): Positions => ({
  packed: JSON.stringify(places),
});

const unpacked = new WeakMap<Positions, Readonly<Record<string, Position>>>();

export function placesOf(positions: Positions): Readonly<Record<string, Position>> {
  const known = unpacked.get(positions);
  if (known !== undefined) return known;
  const places = JSON.parse(positions.packed) as Readonly<Record<string, Position>>;
  unpacked.set(positions, places);
  return places;
}

/** The place of an offset into the text at a pointer: its own where that is known, else that of the text. */
export function textPlaceOf(positions: Positions, pointer: string, offset: number): Place {
  const place = positionOf(positions, pointer);
  const within = placesOf(positions)[pointer]?.[4];
  if (within === undefined) return place;
  if (typeof within === "number") return { line: place.line, col: place.col + within + offset };
  const mark = within.findLast(([from]) => from <= offset);
  if (mark === undefined) return place;
  const [from, line, col, same] = mark;
  return { line, col: col + (offset - from <= same ? offset - from : 0) };
}

/** The place of a pointer, or of its nearest ancestor that stands in the file (a shorthand has fewer places). */
export function positionOf(positions: Positions, pointer: string, what: "value" | "key" = "value"): Place {
  const places = placesOf(positions);
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = places[at];
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
