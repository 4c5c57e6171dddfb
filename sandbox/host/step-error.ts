import type { StepError } from "./step-message.ts";

const maxMessageChars = 4000;

/** An error that carries a code of the table out of a plugin that does not catch it. */
export function stepError(code: string, message: string, transient = false): Error {
  return Object.assign(new Error(message), { code, transient });
}

/**
 * What a plugin threw, as plain strings. Each member is read apart and guarded: a thrown value may be null, a proxy or
 * an object whose getters throw. A plugin says `transient: true` on its error to be tried again.
 */
export function describeThrown(thrown: unknown): StepError {
  const text = (key: string): string => {
    try {
      const value: unknown = (thrown as Record<string, unknown>)[key];
      return typeof value === "string" ? value : "";
    } catch {
      return "";
    }
  };
  const message = text("message") || plainText(thrown);
  const name = text("name");
  const code = text("code");
  if (isOutOfMemory(name, message)) return failure("STEP_OUT_OF_MEMORY", message, false);
  const named = name !== "" && name !== "Error" ? `${name}: ${message}` : message;
  return failure(knownCodes.has(code) ? code : "STEP_FAILED", named, isTransient(thrown));
}

/** The codes that a step may end with by letting an error of ours pass. */
const knownCodes = new Set([
  "ARTIFACT_MISSING",
  "ARTIFACT_MEDIA_TYPE",
  "EGRESS_DENIED",
  "ERR_OUTPUT_NOT_IJSON",
  "SANDBOX_DENIED",
  "STEP_FLOOD",
  "STEP_OUTPUT_TOO_LARGE",
]);

function isOutOfMemory(name: string, message: string): boolean {
  return (
    name === "RangeError" &&
    /^(Array buffer allocation failed|Failed to allocate memory|WebAssembly\.Memory\(\): could not)/.test(message)
  );
}

function isTransient(thrown: unknown): boolean {
  try {
    return (thrown as { transient?: unknown } | null)?.transient === true;
  } catch {
    return false;
  }
}

function plainText(thrown: unknown): string {
  try {
    return typeof thrown === "string" ? thrown : `threw ${thrown === null ? "null" : typeof thrown}`;
  } catch {
    return "threw";
  }
}

export function failure(code: string, message: string, transient: boolean): StepError {
  return { code, transient, message: message.slice(0, maxMessageChars).toWellFormed() };
}
