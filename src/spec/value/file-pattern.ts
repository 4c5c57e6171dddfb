/**
 * Whether a path matches a glob: `*` and `?` stay within a segment, `**` as a whole segment stands for any number of
 * them (at the end for at least one). Time is bounded by pattern times path, whatever both hold.
 */
export function patternMatches(pattern: string, path: string): boolean {
  const globs = pattern.split("/");
  const names = path.split("/");
  let g = 0;
  let n = 0;
  let retry: { readonly g: number; n: number } | null = null;
  while (n < names.length) {
    if (globs[g] === "**") {
      retry = { g: g + 1, n };
      g += 1;
      if (g === globs.length) return true;
    } else if (g < globs.length && segmentMatches(globs[g] ?? "", names[n] ?? "")) {
      g += 1;
      n += 1;
    } else if (retry !== null) {
      // The last `**` takes one segment more; an earlier one never helps.
      retry.n += 1;
      g = retry.g;
      n = retry.n;
    } else return false;
  }
  return g === globs.length;
}

function segmentMatches(glob: string, name: string): boolean {
  let g = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (glob[g] === "*") {
      star = g;
      from = n;
      g += 1;
    } else if (g < glob.length && (glob[g] === "?" || glob[g] === name[n])) {
      g += 1;
      n += 1;
    } else if (star >= 0) {
      from += 1;
      g = star + 1;
      n = from;
    } else return false;
  }
  while (glob[g] === "*") g += 1;
  return g === glob.length;
}
