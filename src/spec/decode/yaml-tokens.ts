import { Composer, type CST, type Document, Lexer, type LineCounter, Parser } from "yaml";

/** Files over `warn` get a warning, files over `hard` are not read. Bytes. */
export const documentCaps = { warnBytes: 64 * 1024, hardBytes: 256 * 1024, lexemes: 20_000, depth: 40 } as const;

/** Bytes that would cost too much to read. `offset` = where it was noticed. */
export class CapExceeded extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Lexer, parser and composer of `yaml`, with caps between, so that time is bounded for any text. */
export function composeYaml(text: string, lines: LineCounter): readonly Document.Parsed[] {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    strict: true,
    stringKeys: true,
    merge: false,
    resolveKnownTags: false,
    // yaml's own duplicate check is quadratic; ours is a Set per map.
    uniqueKeys: false,
  });
  return [...composer.compose(cappedTokens(text, lines))];
}

const lexerMarks: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f", "\ufeff"]);

/** Stops within the first token that is over a cap, so nothing hostile is read twice. */
function* cappedTokens(text: string, lines: LineCounter): Generator<CST.Token> {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const depth = { flow: 0, line: 0 };
  let lexemes = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > documentCaps.lexemes) {
      throw new CapExceeded(`more than ${String(documentCaps.lexemes)} tokens`, offset);
    }
    countDepth(lexeme, depth, offset);
    for (const token of parser.next(lexeme)) yield checkedToken(token);
    // Marks that the lexer adds (BOM, document, flow end, scalar) have no width in the text.
    if (!lexerMarks.has(lexeme)) offset += lexeme.length;
  }
  for (const token of parser.end()) yield checkedToken(token);
}

function countDepth(lexeme: string, depth: { flow: number; line: number }, offset: number): void {
  if (lexeme === "[" || lexeme === "{") depth.flow += 1;
  else if (lexeme === "]" || lexeme === "}") depth.flow = Math.max(0, depth.flow - 1);
  else if (lexeme === "\n" || lexeme === "\r\n") depth.line = 0;
  // `- - - -` nests within one line: the parser's stack grows with it.
  else if (depth.flow === 0 && blockMarks.has(lexeme)) depth.line += 1;
  if (Math.max(depth.flow, depth.line) > documentCaps.depth) throw tooDeep(offset);
}

const blockMarks: ReadonlySet<string> = new Set(["-", "?", ":"]);

const tooDeep = (offset: number): CapExceeded =>
  new CapExceeded(`nested deeper than ${String(documentCaps.depth)}`, offset);

/** Composing recurses: a tree that is too deep is refused before. */
function checkedToken(token: CST.Token): CST.Token {
  if (token.type !== "document" || token.value === undefined) return token;
  const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token: token.value, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.depth > documentCaps.depth + 1) throw tooDeep(next.token.offset);
    for (const { key, value } of "items" in next.token ? next.token.items : []) {
      if (key) open.push({ token: key, depth: next.depth + 1 });
      if (value) open.push({ token: value, depth: next.depth + 1 });
    }
  }
  return token;
}
