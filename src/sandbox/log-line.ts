import { canonicalText, jsonDefect } from "../base/index.ts";
import type { LogFrame } from "./control-frame.ts";
import { shown } from "./step-failure.ts";
import type { StepLogLine } from "./step-request.ts";

/** A host's log frame as a line that every store takes; fields that are no I-JSON object are named as dropped. */
export function logLine(frame: LogFrame): StepLogLine {
  return { level: frame.level, message: shown(frame.message), fields: fieldsText(frame.fields) };
}

function fieldsText(text: string): string {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value) && jsonDefect(value) === null)
      return canonicalText(value);
  } catch {
    // Said below.
  }
  return '{"dropped":"fields are no I-JSON object"}';
}
