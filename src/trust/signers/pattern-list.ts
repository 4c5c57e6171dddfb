/**
 * OpenSSH's match_pattern_list: comma-separated globs of `*` and `?`; one `!pattern` that matches refuses whatever else
 * matches; a list of negations alone matches nothing. Case counts.
 */
export function matchesPatternList(text: string, list: string): boolean {
  let matched = false;
  for (const item of list.split(",")) {
    const negated = item.startsWith("!");
    if (!matchesGlob(text, negated ? item.slice(1) : item)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `*` = any run of characters, `?` = one. Linear backtracking: a hostile pattern of many stars costs text x pattern. */
export function matchesGlob(text: string, glob: string): boolean {
  let at = 0;
  let g = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (glob[g] === "*") {
      star = g++;
      resume = at;
    } else if (g < glob.length && (glob[g] === "?" || glob[g] === text[at])) {
      g++;
      at++;
    } else if (star >= 0) {
      g = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}

/** The first pattern that is a plain name, or null: what a person is called where a list names several. */
export function firstLiteral(list: string): string | null {
  return list.split(",").find((item) => item !== "" && !/[*?!]/.test(item)) ?? null;
}
