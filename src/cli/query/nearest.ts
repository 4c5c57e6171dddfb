import { closestMatch } from "leven";

/** `; did you mean acme?`, or nothing. */
export function nearestText(word: string, known: Iterable<string>, maxDistance = 3): string {
  const near = closestMatch(word.toLowerCase(), [...new Set(known)].sort(), { maxDistance });
  return near === undefined ? "" : `; did you mean ${near}?`;
}
