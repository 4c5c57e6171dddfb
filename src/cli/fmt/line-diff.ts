/** Lines around a change. */
const context = 3;
/** Cells of the table that compares two middles; beyond it one replaces the other as a whole. */
const maxCells = 4_000_000;

interface Edit {
  readonly sign: " " | "-" | "+";
  readonly line: string;
}

/** A unified diff as `diff -u` prints one, without its two first lines; [] for equal texts. */
export function lineDiff(before: string, after: string): readonly string[] {
  if (before === after) return [];
  const edits = editsOf(linesOf(before), linesOf(after));
  return hunksOf(edits).flatMap(({ from, to }) => hunkLines(edits, from, to));
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines.push(`${lines.pop() ?? ""}\n\\ No newline at end of file`);
  return lines;
}

function editsOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const kept = (line: string): Edit => ({ sign: " ", line });
  const middle = middleEdits(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return [...before.slice(0, head).map(kept), ...middle, ...before.slice(before.length - tail).map(kept)];
}

/** The fewest edits, by the longest common subsequence; removals first. */
function middleEdits(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const removed = before.map((line): Edit => ({ sign: "-", line }));
  const added = after.map((line): Edit => ({ sign: "+", line }));
  if (before.length * after.length > maxCells) return [...removed, ...added];
  const lengthAt = commonLengths(before, after);
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [gone, come] = [removed[i], added[j]];
    if (gone === undefined || come === undefined) return [...edits, ...removed.slice(i), ...added.slice(j)];
    if (gone.line === come.line) {
      edits.push({ sign: " ", line: gone.line });
      i += 1;
      j += 1;
    } else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) {
      edits.push(gone);
      i += 1;
    } else {
      edits.push(come);
      j += 1;
    }
  }
}

/** How many lines are common, in order, from a line of each on. */
function commonLengths(before: readonly string[], after: readonly string[]): (i: number, j: number) => number {
  const width = after.length + 1;
  const table = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1)
      table[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i, j + 1), at(i + 1, j));
  }
  return at;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Changes with their context; those that touch are one. */
function hunksOf(edits: readonly Edit[]): readonly Span[] {
  const spans: { from: number; to: number }[] = [];
  for (const [at, { sign }] of edits.entries()) {
    if (sign === " ") continue;
    const [from, to] = [Math.max(0, at - context), Math.min(edits.length, at + context + 1)];
    const last = spans.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else spans.push({ from, to });
  }
  return spans;
}

function hunkLines(edits: readonly Edit[], from: number, to: number): readonly string[] {
  const count = (part: readonly Edit[], sign: "-" | "+"): number =>
    part.filter((edit) => edit.sign === " " || edit.sign === sign).length;
  const [above, own] = [edits.slice(0, from), edits.slice(from, to)];
  const range = (sign: "-" | "+"): string => {
    const [start, length] = [count(above, sign), count(own, sign)];
    return `${sign}${String(length === 0 ? start : start + 1)},${String(length)}`;
  };
  return [`@@ ${range("-")} ${range("+")} @@`, ...own.flatMap(({ sign, line }) => `${sign}${line}`.split("\n"))];
}
