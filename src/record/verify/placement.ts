import { countMember, type SegmentLine } from "./segment-line.ts";

/** Where the next record is expected. */
export interface Expected {
  readonly seq: number;
  readonly index: number;
}

export interface Placement {
  /** In seq order: each line with the seq that it is taken for. */
  readonly placed: readonly { readonly line: SegmentLine; readonly seq: number }[];
  readonly flaws: readonly PlacementFlaw[];
  /** Leaves that are missing before a line though the tenant's own seq goes on: another tenant's. */
  readonly foreignLeaves: number;
  readonly next: Expected;
}

export interface PlacementFlaw {
  readonly code: "AUDIT_GAP" | "AUDIT_ORDER" | "AUDIT_TAMPERED";
  readonly line: SegmentLine;
  readonly seq: number;
  readonly message: string;
}

interface Numbers {
  readonly seq: number | null;
  readonly index: number | null;
}

/**
 * Gives each line of a segment its place. `seq` and `index` say the same twice, so a removed record (both jump), a
 * changed number (one jumps) and swapped lines (a permutation) can be told apart. `firstSeq` = what the file's name says.
 */
export function placeLines(lines: readonly SegmentLine[], start: Expected, firstSeq: number): Placement {
  const numbers = lines.map(({ record }) => ({ seq: countMember(record, "seq"), index: countMember(record, "index") }));
  return permuted(lines, numbers, start) ?? inFileOrder(lines, numbers, { start, firstSeq });
}

/** Lines that are all there, but not in order. */
function permuted(lines: readonly SegmentLine[], numbers: readonly Numbers[], start: Expected): Placement | null {
  const inPlace = numbers.every(({ seq }, at) => seq === start.seq + at);
  const sorted = numbers.map(({ seq }) => seq ?? -1).sort((a, b) => a - b);
  if (inPlace || !sorted.every((seq, at) => seq === start.seq + at)) return null;
  const placed = lines.map((line, at) => ({ line, seq: numbers[at]?.seq ?? 0 }));
  const flaws = placed
    .filter(({ seq }, at) => seq !== start.seq + at)
    .map(({ line, seq }) => ({
      code: "AUDIT_ORDER" as const,
      line,
      seq,
      message: `record ${String(seq)} stands where ${String(start.seq + line.line - 1)} belongs`,
    }));
  return {
    placed: placed.sort((a, b) => a.seq - b.seq),
    flaws,
    foreignLeaves: 0,
    next: { seq: start.seq + lines.length, index: start.index + lines.length },
  };
}

function inFileOrder(
  lines: readonly SegmentLine[],
  numbers: readonly Numbers[],
  { start, firstSeq }: { readonly start: Expected; readonly firstSeq: number },
): Placement {
  const placed: { line: SegmentLine; seq: number }[] = [];
  const flaws: PlacementFlaw[] = [];
  let foreignLeaves = 0;
  let { seq, index } = start;
  for (const [at, line] of lines.entries()) {
    const found = numbers[at] ?? { seq: null, index: null };
    const following = numbers[at + 1] ?? null;
    const step = jumpOf(found, { seq, index }, { following, nameSaysSo: at === 0 && found.seq === firstSeq });
    if (step.kind === "gap") flaws.push({ code: "AUDIT_GAP", line, seq, message: missing(seq, step.to.seq - 1) });
    if (step.kind === "foreign") foreignLeaves += step.to.index - index;
    if (step.kind === "changed") flaws.push({ code: "AUDIT_TAMPERED", line, seq, message: step.why });
    placed.push({ line, seq: step.to.seq });
    seq = step.to.seq + 1;
    index = step.to.index + 1;
  }
  return { placed, flaws, foreignLeaves, next: { seq, index } };
}

type Jump =
  | { readonly kind: "none" | "gap" | "foreign"; readonly to: Expected }
  | { readonly kind: "changed"; readonly to: Expected; readonly why: string };

interface Hints {
  readonly following: Numbers | null;
  readonly nameSaysSo: boolean;
}

function jumpOf(found: Numbers, expected: Expected, hints: Hints): Jump {
  const { seq, index } = expected;
  // A line that does not decode is reported for that; it holds the place that is free.
  if (found.seq === null || found.index === null) return { kind: "none", to: expected };
  const to = { seq: found.seq, index: found.index };
  if (to.seq === seq && to.index === index) return { kind: "none", to };
  if (isGap(to, expected, hints)) return { kind: "gap", to };
  if (isForeignGap(to, expected, hints)) return { kind: "foreign", to };
  const why = to.seq === seq ? `it says index ${String(to.index)}` : `it says seq ${String(to.seq)}`;
  return { kind: "changed", to: expected, why: `${why} in the place of seq ${String(seq)}, index ${String(index)}` };
}

/** Records of this tenant are gone: both numbers jump alike, or the file's name knows of it; and the next line goes on. */
function isGap(found: Expected, expected: Expected, { following, nameSaysSo }: Hints): boolean {
  const jump = found.seq - expected.seq;
  const leap = found.index - expected.index;
  const goesOn = following === null || following.seq === found.seq + 1;
  return jump > 0 && leap >= 0 && goesOn && (leap === jump || nameSaysSo);
}

/** Records of tenants before this one are gone: only the site-wide number jumps, and stays so. */
function isForeignGap(found: Expected, expected: Expected, { following }: Hints): boolean {
  const goesOn = following === null || following.index === found.index + 1;
  return found.seq === expected.seq && found.index > expected.index && goesOn;
}

function missing(first: number, last: number): string {
  return first === last
    ? `record ${String(first)} is missing`
    : `records ${String(first)} to ${String(last)} are missing`;
}
