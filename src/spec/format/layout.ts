import type { Piece } from "./pieces.ts";

/** One line of the canonical layout. `fixed`: a block scalar's, never touched again. */
interface Line {
  text: string;
  comment: string | null;
  /** The entry of the document that it begins; null for all other lines. */
  readonly entry: string | null;
  readonly fixed: boolean;
}

interface Open {
  readonly col: number;
  readonly indent: number;
}

type Comment = Piece & { readonly kind: "comment" };
type Text = Piece & { readonly kind: "text" };

/** Longer lines keep out of the alignment of comments. */
const alignedWidth = 80;

/**
 * Pieces as lines. Line ends stay where they are, but for runs of blank lines, which become one. A comment of its own
 * line goes with what follows; where it stands deeper than that, with the block before it.
 */
export function layOut(pieces: Iterable<Piece>): string {
  const page = new Page();
  for (const piece of pieces) page.add(piece);
  return page.text();
}

class Page {
  readonly #lines: Line[] = [];
  readonly #open: Open[] = [];
  #waiting: { readonly comment: Comment; readonly blank: boolean }[] = [];
  /** Line ends since the last thing that was laid. */
  #breaks = 1;

  add(piece: Piece): void {
    switch (piece.kind) {
      case "break":
        this.#breaks += 1;
        break;
      case "comment":
        this.#addComment(piece);
        break;
      case "text":
        this.#addText(piece);
        break;
      case "lines":
        for (const text of piece.lines) this.#lines.push({ text, comment: null, entry: null, fixed: true });
        this.#breaks = 1 + piece.after;
    }
  }

  text(): string {
    this.#placeComments({ col: -1, indent: 0 });
    alignComments(this.#lines);
    return inKeyOrder(this.#lines)
      .map(({ text }) => `${text}\n`)
      .join("");
  }

  #addComment(comment: Comment): void {
    const last = this.#lines.at(-1);
    if (this.#breaks === 0 && this.#waiting.length === 0 && last !== undefined) last.comment = comment.text;
    else this.#waiting.push({ comment, blank: this.#breaks > 1 });
    this.#breaks = 0;
  }

  #addText(piece: Text): void {
    const begins = this.#breaks > 0 || this.#waiting.length > 0;
    this.#placeComments(piece);
    const [first = "", ...rest] = piece.text.split("\n");
    const last = this.#lines.at(-1);
    if (begins || last === undefined) {
      if (this.#breaks > 1) this.#blank();
      this.#push(piece.indent, first, piece.isEntry && piece.indent === 0 ? first : null);
    } else last.text += (piece.spaced ? " " : "") + first;
    for (const text of rest) this.#lines.push({ text, comment: null, entry: null, fixed: false });
    if (piece.isEntry) this.#enter(piece);
    this.#breaks = 0;
  }

  #placeComments(next: Open): void {
    for (const { comment, blank } of this.#waiting) {
      if (blank) this.#blank();
      this.#push(
        comment.col > next.col ? Math.max(next.indent, this.#indentAt(comment.col)) : next.indent,
        comment.text,
      );
    }
    this.#waiting = [];
  }

  /** That of the deepest open block at or left of a column. */
  #indentAt(col: number): number {
    let found: Open | null = null;
    for (const open of this.#open) if (open.col <= col && (found === null || open.col > found.col)) found = open;
    return found?.indent ?? 0;
  }

  #enter({ col, indent }: Open): void {
    while ((this.#open.at(-1)?.indent ?? -1) >= indent) this.#open.pop();
    this.#open.push({ col, indent });
  }

  #push(indent: number, text: string, entry: string | null = null): void {
    this.#lines.push({ text: " ".repeat(indent) + text, comment: null, entry, fixed: false });
  }

  /** Never at the top, never twice; below a block scalar the line could become part of it, where it is kept. */
  #blank(): void {
    const last = this.#lines.at(-1);
    if (last !== undefined && (last.text !== "" || last.fixed)) this.#push(0, "");
  }
}

/** Comments of neighbouring lines begin at one column, two blanks behind the longest. */
function alignComments(lines: readonly Line[]): void {
  for (let from = 0; from < lines.length; ) {
    let to = from;
    while (lines[to]?.comment != null) to += 1;
    const run = lines.slice(from, to);
    const widths = run.map(({ text }) => widthOf(text)).filter((width) => width <= alignedWidth);
    const column = Math.max(0, ...widths) + 2;
    for (const line of run) {
      line.text += " ".repeat(Math.max(2, column - widthOf(line.text))) + (line.comment ?? "");
    }
    from = Math.max(to, from + 1);
  }
}

const widthOf = (text: string): number => Array.from(text).length;

const keyOrder: readonly string[] = ["apiVersion", "kind", "metadata", "spec"];

/**
 * The entries of a document in our order, each with the comments right above it; what leads the first one stays at the
 * top. A document with any other entry is left as it is.
 */
function inKeyOrder(lines: readonly Line[]): readonly Line[] {
  const starts = lines.flatMap(({ entry }, i) => (entry === null ? [] : [i]));
  const names = starts.map((i) => lines[i]?.entry ?? "");
  const ranks = names.map((name) => keyOrder.indexOf(name));
  const isSorted = ranks.every((rank, i) => i === 0 || rank >= (ranks[i - 1] ?? 0));
  if (isSorted || ranks.includes(-1) || new Set(ranks).size !== ranks.length) return lines;
  // An entry whose text ends in lines that are kept as they are may end in blank ones of its own.
  const from = starts.map((start, i) => (i === 0 ? start : firstAbove(lines, start)));
  const chunks = from.map((at, i) => ({ rank: ranks[i] ?? 0, lines: lines.slice(at, from[i + 1] ?? lines.length) }));
  return [...lines.slice(0, from[0]), ...chunks.sort((a, b) => a.rank - b.rank).flatMap((chunk) => chunk.lines)];
}

function firstAbove(lines: readonly Line[], start: number): number {
  let at = start;
  while (lines[at - 1]?.text.startsWith("#") === true) at -= 1;
  return at;
}
