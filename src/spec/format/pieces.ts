import type { CST } from "yaml";
import { blockScalarLines, flowScalarText } from "./scalar-text.ts";

/** What a document is laid out from, in the order of the source. `col` counts from 0 and is the source's. */
export type Piece =
  | {
      readonly kind: "text";
      /** May hold line ends; what follows them is indented already. */
      readonly text: string;
      readonly col: number;
      /** Where it stands when it begins a line. */
      readonly indent: number;
      /** A blank before it when it does not. */
      readonly spaced: boolean;
      /** It begins an entry of a block, so comments may stand at its column. */
      readonly isEntry: boolean;
    }
  | { readonly kind: "comment"; readonly text: string; readonly col: number }
  /** A line end of the source. */
  | { readonly kind: "break" }
  /** The lines of a block scalar, as they must stand; `after` counts the blank lines behind that mean nothing. */
  | { readonly kind: "lines"; readonly lines: readonly string[]; readonly after: number };

/** A construct that has no layout here. `offset` into the text. */
export class NoLayout extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const step = 2;

/** The pieces of a text that `decodeYaml` accepts. Throws NoLayout. */
export function* piecesOf(tokens: Iterable<CST.Token>, text: string): Generator<Piece> {
  const walk: Walk = { columnOf: (offset) => offset - (text.lastIndexOf("\n", offset - 1) + 1) };
  for (const token of tokens) {
    if (token.type === "document") {
      yield* quiet(token.start, walk);
      if (token.value) yield* valuePieces(token.value, { indent: -step, spaced: false }, walk);
      if (token.end) yield* quiet(token.end, walk);
    } else if (token.type === "doc-end") {
      yield* quiet(token.end ?? [], walk);
    } else if ("source" in token) {
      yield* quiet([token as CST.SourceToken], walk);
    }
  }
}

interface Walk {
  readonly columnOf: (offset: number) => number;
}

/** Where a value stands: indentation of the block that holds it, and whether a blank leads it. */
interface Where {
  readonly indent: number;
  readonly spaced: boolean;
}

/** Comments and line ends of tokens between values; `---` and `...` go. */
function* quiet(tokens: readonly CST.SourceToken[], walk: Walk): Generator<Piece> {
  for (const token of tokens) {
    if (token.type === "newline") yield { kind: "break" };
    else if (token.type === "comment")
      yield { kind: "comment", text: token.source.trimEnd(), col: walk.columnOf(token.offset) };
    else if (token.type === "explicit-key-ind") throw new NoLayout("a key written with `?`", token.offset);
  }
}

const hasComment = (tokens: readonly CST.SourceToken[]): boolean => tokens.some(({ type }) => type === "comment");

function* valuePieces(token: CST.Token, where: Where, walk: Walk): Generator<Piece> {
  if (token.type === "block-map") yield* blockMap(token, where, walk);
  else if (token.type === "block-seq") yield* blockSeq(token, where, walk);
  else if (token.type === "flow-collection") yield* flowCollection(token, where, walk);
  else if (token.type === "block-scalar") yield* blockScalar(token, where, walk);
  else if (isFlowScalar(token)) {
    const indent = Math.max(0, where.indent + step);
    yield textPiece(flowScalarText(token, indent), token.offset, { indent, spaced: where.spaced }, walk);
    yield* quiet(token.end ?? [], walk);
  } else throw new NoLayout("it has no layout", token.offset);
}

const isFlowScalar = (token: CST.Token): token is CST.FlowScalar =>
  token.type === "scalar" || token.type === "single-quoted-scalar" || token.type === "double-quoted-scalar";

const textPiece = (text: string, offset: number, spot: Where & { readonly isEntry?: boolean }, walk: Walk): Piece => ({
  ...{ kind: "text", text, col: walk.columnOf(offset) },
  ...{ indent: spot.indent, spaced: spot.spaced, isEntry: spot.isEntry === true },
});

function* blockMap({ items }: CST.BlockMap, where: Where, walk: Walk): Generator<Piece> {
  const indent = where.indent + step;
  for (const { start, key, sep, value } of items) {
    yield* quiet(start, walk);
    if (key) yield textPiece(keyText(key), key.offset, { indent, spaced: true, isEntry: true }, walk);
    yield* separator(sep ?? [], { indent, keyed: Boolean(key), value: value ?? null }, walk);
    if (value) yield* valuePieces(value, { indent, spaced: true }, walk);
  }
}

function keyText(key: CST.Token): string {
  if (isFlowScalar(key)) return flowScalarText(key, 0);
  throw new NoLayout("a key that is no text", key.offset);
}

/** The colon and what lies between it and its value; a value that could stand behind the colon is brought there. */
function* separator(
  tokens: readonly CST.SourceToken[],
  { indent, keyed, value }: { readonly indent: number; readonly keyed: boolean; readonly value: CST.Token | null },
  walk: Walk,
): Generator<Piece> {
  const colon = tokens.find(({ type }) => type === "map-value-ind");
  if (colon !== undefined && !keyed) throw new NoLayout("an entry without a key", colon.offset);
  const joins =
    value !== null && !value.type.startsWith("block-m") && value.type !== "block-seq" && !hasComment(tokens);
  for (const token of tokens) {
    if (token.type === "map-value-ind") yield textPiece(":", token.offset, { indent, spaced: false }, walk);
    else if (!joins) yield* quiet([token], walk);
  }
}

function* blockSeq({ items }: CST.BlockSequence, where: Where, walk: Walk): Generator<Piece> {
  const indent = where.indent + step;
  for (const { start, value } of items) {
    const dash = start.findIndex(({ type }) => type === "seq-item-ind");
    const [before, after] = dash < 0 ? [start, []] : [start.slice(0, dash), start.slice(dash + 1)];
    yield* quiet(before, walk);
    const mark = start[dash];
    if (mark !== undefined) yield textPiece("-", mark.offset, { indent, spaced: true, isEntry: true }, walk);
    if (!value || hasComment(after)) yield* quiet(after, walk);
    if (value) yield* valuePieces(value, { indent, spaced: true }, walk);
  }
}

function* flowCollection(token: CST.FlowCollection, where: Where, walk: Walk): Generator<Piece> {
  const at = Math.max(0, where.indent + step);
  const isMap = token.start.source === "{";
  yield textPiece(token.start.source, token.offset, { indent: at, spaced: where.spaced }, walk);
  let filled = false;
  for (const item of token.items) {
    yield* flowItem(item, { indent: at, spaced: isMap || filled }, walk);
    filled ||= Boolean(item.key ?? item.value);
  }
  for (const mark of token.end) {
    const closes = mark.type === "flow-map-end" || mark.type === "flow-seq-end";
    if (closes) yield textPiece(mark.source, mark.offset, { indent: at, spaced: isMap && filled }, walk);
    else yield* quiet([mark], walk);
  }
}

/** One member; `where` is that of the collection, with whether a blank leads this one. */
function* flowItem(
  { start, key, sep, value }: CST.FlowCollection["items"][number],
  where: Where,
  walk: Walk,
): Generator<Piece> {
  const indent = where.indent + step;
  for (const mark of start) {
    if (mark.type === "comma") yield textPiece(",", mark.offset, { indent, spaced: false }, walk);
    else yield* quiet([mark], walk);
  }
  if (key) yield* valuePieces(key, where, walk);
  yield* separator(sep ?? [], { indent, keyed: Boolean(key), value: value ?? null }, walk);
  if (value) yield* valuePieces(value, key ? { ...where, spaced: true } : where, walk);
}

function* blockScalar(token: CST.BlockScalar, where: Where, walk: Walk): Generator<Piece> {
  let header = "";
  for (const prop of token.props) {
    if (prop.type === "block-scalar-header") {
      header = prop.source;
      yield textPiece(header, prop.offset, { indent: where.indent + step, spaced: where.spaced }, walk);
    } else yield* quiet([prop as CST.SourceToken], walk);
  }
  // A line end would become part of what it says.
  if (header.includes("+") && token.source !== "" && !token.source.endsWith("\n"))
    throw new NoLayout("a kept text without a line end", token.offset);
  yield { kind: "lines", ...blockScalarLines(token, header, where.indent) };
}
