import { Script } from "node:vm";
import { hasDynamicImport } from "./dynamic-import.ts";
import { stepError } from "./step-error.ts";

/** Compiles a plugin's script; refuses what would lead out of a realm. */
export function compilePlugin(text: string, name: string): Script {
  if (hasDynamicImport(text)) throw stepError("SANDBOX_DENIED", "dynamic import() is not allowed in a realm");
  return new Script(text, { filename: `${name}.js` });
}

/**
 * The expression of a `core.js` step as a script whose value it is. It must also stand in brackets: text that closes
 * our parenthesis and opens another is statements, not the one expression that was reviewed.
 */
export function compileExpression(text: string): Script {
  if (hasDynamicImport(text)) throw stepError("SANDBOX_DENIED", "dynamic import() is not allowed in code");
  try {
    new Script(`[${text}\n]`, { filename: "code.js" });
    return new Script(`(${text}\n)`, { filename: "code.js" });
  } catch (error) {
    throw stepError(
      "STEP_FAILED",
      `code is not one JavaScript expression: ${error instanceof Error ? error.message : ""}`,
    );
  }
}
