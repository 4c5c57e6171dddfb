import leven from "leven";

/** The known word nearest to `word`, ignoring case, `-` and `_`; null where none is near. */
export function closest(word: string, known: readonly string[]): string | null {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, "");
  const near = known
    .map((candidate) => ({ candidate, distance: leven(plain(word), plain(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.min(3, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}
