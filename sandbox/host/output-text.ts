import canonicalize from "canonicalize";
import { ijsonDefect } from "./ijson.ts";
import { stepError } from "./step-error.ts";

/** The canonical text of a step's output, or an error with its code. Runs where the output was made. */
export function outputText(output: unknown, maxBytes: number): string {
  if (typeof output !== "object" || output === null || Array.isArray(output))
    throw stepError("ERR_OUTPUT_NOT_IJSON", "the output is not a JSON object");
  // Before the text is made: a giant would end the thread by its memory instead of by its name.
  if (exceeds(output, { left: maxBytes, depth: 0 })) throw tooLarge(maxBytes);
  const defect = ijsonDefect(output);
  if (defect !== null) throw stepError("ERR_OUTPUT_NOT_IJSON", `the output is not I-JSON: ${defect}`);
  const text = canonicalize(output) ?? "";
  if (text.length > maxBytes) throw tooLarge(maxBytes);
  return text;
}

function tooLarge(maxBytes: number): Error {
  return stepError("STEP_OUTPUT_TOO_LARGE", `the output is over ${maxBytes} bytes`);
}

/** A lower bound of the text's length, walked only as far as needed. */
function exceeds(value: unknown, budget: { left: number; depth: number }): boolean {
  budget.left -= typeof value === "string" ? value.length + 2 : 1;
  if (budget.left < 0) return true;
  // Depth and cycles are ijsonDefect's to refuse.
  if (typeof value !== "object" || value === null || budget.depth > 64) return false;
  budget.depth++;
  for (const key of Object.keys(value)) {
    if (!Array.isArray(value)) budget.left -= key.length + 3;
    if (exceeds((value as Record<string, unknown>)[key], budget)) return true;
  }
  budget.depth--;
  return false;
}
