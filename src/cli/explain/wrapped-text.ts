/** A text in lines of at most `width` characters, broken at blanks alone: a longer word stays whole. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `label` and a text behind it, whose further lines stand below its first. */
export const labelled = (label: string, text: string, width: number): string =>
  wrapped(text, Math.max(leastWidth, width - label.length)).join(`\n${" ".repeat(label.length)}`);

const leastWidth = 24;
const gap = 2;

/** A table that fits `width`: the cells of its inner columns are broken from `leastWidth` on, those of the last one take the rest. */
export function wrappedTable(header: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const all = [header.map((title) => title.toUpperCase()), ...rows];
  const widest = (of: (cell: string) => number): readonly number[] =>
    header.map((_, column) => Math.max(...all.map((row) => of(row[column] ?? ""))));
  const natural = widest((cell) => cell.length);
  const words = widest((cell) => Math.max(...cell.split(" ").map(({ length }) => length)));
  const isTooWide = natural.reduce((sum, cell) => sum + cell + gap, 0) > width;
  const broken = natural.map((cell, column) => Math.min(cell, Math.max(leastWidth, words[column] ?? 0)));
  const inner = (isTooWide ? broken : natural).slice(0, -1);
  const last = Math.max(leastWidth, width - inner.reduce((sum, cell) => sum + cell + gap, 0));
  return all.flatMap((row) => rowLines(row, [...inner, last])).join("\n");
}

function rowLines(row: readonly string[], widths: readonly number[]): readonly string[] {
  const cells = row.map((cell, column) => wrapped(cell, widths[column] ?? leastWidth));
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, n) =>
    cells
      .map((lines, column) => (lines[n] ?? "").padEnd(widths[column] ?? 0))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}
