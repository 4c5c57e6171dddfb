import { patternMatches } from "./file-pattern.ts";

/** `{a,b}{c,d}` written out is a product: a short text must not become a million patterns. */
const maxAlternatives = 256;

/**
 * The patterns that `{a,b}` stands for, braces may nest; a text says why they do not pair or are too many. Backslash
 * means nothing.
 */
export function expandBraces(glob: string): readonly string[] | string {
  const done: string[] = [];
  const pending = [glob];
  for (let text = pending.pop(); text !== undefined; text = pending.pop()) {
    const open = innermost(text);
    if (open === "unpaired") return "its braces do not pair";
    if (open === null) done.push(text);
    else pending.push(...open.alternatives.map((item) => open.before + item + open.after).reverse());
    if (done.length + pending.length > maxAlternatives)
      return `its braces stand for over ${String(maxAlternatives)} patterns`;
  }
  return done;
}

interface Braces {
  readonly before: string;
  readonly alternatives: readonly string[];
  readonly after: string;
}

/** The first pair of braces without another in it; null where there is none. */
function innermost(text: string): Braces | "unpaired" | null {
  const close = text.indexOf("}");
  const open = text.lastIndexOf("{", close < 0 ? text.length : close);
  if (close < 0) return open < 0 ? null : "unpaired";
  if (open < 0) return "unpaired";
  return {
    before: text.slice(0, open),
    alternatives: text.slice(open + 1, close).split(","),
    after: text.slice(close + 1),
  };
}

/**
 * Matches whole paths as `match` of orrery.yaml does: `*` and `?` within a segment, `**` for any number of segments,
 * `{a,b}` for one of several. `keys/**` is `keys` itself too: a file in the place of the folder is under the same rule.
 */
export function pathMatcher(match: string): (path: string) => boolean {
  const expanded = expandBraces(match);
  const globs = typeof expanded === "string" ? [] : expanded;
  const all = globs.flatMap((glob) => (glob.endsWith("/**") ? [glob, glob.slice(0, -3)] : [glob]));
  return (path) => all.some((glob) => patternMatches(glob, path));
}
