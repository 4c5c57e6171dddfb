import { closestMatch } from "leven";

/** `; did you mean acme?`, or nothing. */
export function nearestText(word: string, known: Iterable<string>): string {
  const near = closestMatch(word.toLowerCase(), [...new Set(known)].sort(), { maxDistance: 3 });
  return near === undefined ? "" : `; did you mean ${near}?`;
}
