/**
 * Whether a regular expression from a spec can be run on any text without blowing up. JavaScript's engine backtracks,
 * so only patterns pass whose number of ways to match is small: no look-around, no back reference, at most one
 * repetition without bound, and that one anchored. Returns why not, or null.
 */
export function patternDefect(pattern: string): string | null {
  const reader: Reader = { pattern, at: 0, unbounded: 0 };
  try {
    // ajv compiles with the same flag.
    new RegExp(pattern, "u");
    const { ways, alternatives } = readAlternatives(reader);
    const anchored = pattern.startsWith("^") && alternatives === 1;
    if (reader.unbounded > 1) return "it repeats without bound in more than one place";
    if (reader.unbounded === 1 && !anchored) return "it repeats without bound and does not begin with ^";
    const cap = anchored && reader.unbounded === 0 ? 10_000 : 100;
    return ways > cap ? "it can match in too many ways" : null;
  } catch (error) {
    return error instanceof UnsafePattern ? error.message : "it is no regular expression";
  }
}

class UnsafePattern extends Error {}

interface Reader {
  readonly pattern: string;
  at: number;
  unbounded: number;
}

interface Part {
  /** How many ways this part can match one text, at most. */
  readonly ways: number;
  readonly alternatives: number;
}

function readAlternatives(reader: Reader): Part {
  let ways = readSequence(reader);
  let alternatives = 1;
  while (reader.pattern[reader.at] === "|") {
    reader.at += 1;
    alternatives += 1;
    ways += readSequence(reader);
  }
  return { ways, alternatives };
}

function readSequence(reader: Reader): number {
  let ways = 1;
  while (reader.at < reader.pattern.length && !"|)".includes(reader.pattern[reader.at] ?? "")) {
    const atom = readAtom(reader);
    ways *= atom * readQuantifier(reader, atom);
    if (ways > 1e9) throw new UnsafePattern("it can match in too many ways");
  }
  return ways;
}

function readAtom(reader: Reader): number {
  const char = reader.pattern[reader.at] ?? "";
  if (char === "(") return readGroup(reader);
  if (char === "[") return skip(reader, /\[(?:\\.|[^\]\\])*\]/y);
  if (char === "\\") {
    if (/[1-9kpP]/.test(reader.pattern[reader.at + 1] ?? ""))
      throw new UnsafePattern("it has a back reference or property class");
    return skip(reader, /\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/y);
  }
  return skip(reader, /[\s\S]/uy);
}

function readGroup(reader: Reader): number {
  if (/^\(\?(?!:)/.test(reader.pattern.slice(reader.at, reader.at + 3))) throw new UnsafePattern("it looks around");
  reader.at += reader.pattern.startsWith("(?:", reader.at) ? 3 : 1;
  const { ways } = readAlternatives(reader);
  reader.at += 1;
  return ways;
}

function skip(reader: Reader, token: RegExp): number {
  token.lastIndex = reader.at;
  const match = token.exec(reader.pattern);
  if (match === null) throw new UnsafePattern("it is no regular expression");
  reader.at += match[0].length;
  return 1;
}

/** Factor by which a repetition multiplies the ways of its atom. */
function readQuantifier(reader: Reader, atom: number): number {
  const token = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y;
  token.lastIndex = reader.at;
  const match = token.exec(reader.pattern);
  if (match === null) return 1;
  reader.at += match[0].length;
  const [least, most] = repetition(match);
  if (most === 1) return 2;
  if (atom > 1) throw new UnsafePattern("it repeats a group that can itself match in several ways");
  if (most !== Number.POSITIVE_INFINITY) return most - least + 1;
  reader.unbounded += 1;
  return 1;
}

function repetition(match: RegExpExecArray): readonly [least: number, most: number] {
  const sign = match[0][0];
  if (sign === "?") return [0, 1];
  if (sign !== "{") return [0, Number.POSITIVE_INFINITY];
  const least = Number(match[1]);
  if (match[2] === undefined) return [least, least];
  return [least, match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3])];
}
