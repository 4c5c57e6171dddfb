import leven from "leven";

/** Edits between two words, where two neighbours that changed places are one edit. */
export function slips(word: string, other: string): number {
  const distance = leven(word, other);
  return distance === 2 && word.length === other.length && isSwap(word, other) ? 1 : distance;
}

function isSwap(word: string, other: string): boolean {
  const at = Array.from(word).findIndex((letter, index) => letter !== other[index]);
  return word[at] === other[at + 1] && word[at + 1] === other[at] && word.slice(at + 2) === other.slice(at + 2);
}

/** The known word nearest to `word`, ignoring case, `-` and `_`; null where none is near. */
export function closest(word: string, known: readonly string[]): string | null {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, "");
  const near = known
    .map((candidate) => ({ candidate, distance: slips(plain(word), plain(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.min(3, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}
