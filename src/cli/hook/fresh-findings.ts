import type { Finding } from "../../spec/index.ts";

/** A finding wherever it stands in its document: lines move, what is wrong does not. */
const keyOf = ({ path, code, message }: Finding): string => JSON.stringify([path, code, message]);

/**
 * Findings that were not there before: a second one that reads like one of before is new. Whatever document a change
 * touches, what it causes elsewhere (a grant that goes) is among them.
 */
export function freshFindings<T extends Finding>(before: readonly Finding[], after: readonly T[]): readonly T[] {
  const standing = new Map<string, number>();
  for (const finding of before) standing.set(keyOf(finding), (standing.get(keyOf(finding)) ?? 0) + 1);
  return after.filter((finding) => {
    const left = standing.get(keyOf(finding)) ?? 0;
    if (left > 0) standing.set(keyOf(finding), left - 1);
    return left === 0;
  });
}
