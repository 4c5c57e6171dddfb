import { closest, slips } from "./closest.ts";
import { foreignAnswer } from "./foreign-words.ts";

/** What to write in place of a key that the schema does not have. */
export function adviceFor(key: string, known: readonly string[], at = ""): string {
  const slip = slipOf(key, known);
  if (slip !== null) return `Did you mean \`${slip}\`?`;
  const answer = foreignAnswer(key, at === "/spec" && known.includes("steps") ? "dag" : "elsewhere");
  if (answer !== null) return answer;
  const close = closest(key, known);
  if (close !== null) return `Did you mean \`${close}\`?`;
  return known.length === 0 ? "Remove it." : `Remove it; known here: ${known.join(", ")}.`;
}

/** The known key that this one can only be: the same letters, or one slip of the pen. */
export function slipOf(key: string, known: readonly string[]): string | null {
  const close = closest(key, known);
  return close !== null && slips(key.toLowerCase(), close.toLowerCase()) <= 1 ? close : null;
}
