import { type CodeName, codeRow, type ErrorClass } from "../base/index.ts";
import type { StepResult } from "./step-request.ts";

/** A failure with the class that the table gives its code. */
export function stepFailure(code: CodeName, message: string, errorClass?: ErrorClass): StepResult {
  return { kind: "failed", class: errorClass ?? codeRow(code)?.class ?? "internal", code, message: shown(message) };
}

// What a host may say of its own step. Any other name is not its to use.
const claimable = new Set<CodeName>([
  "ARTIFACT_CORRUPT",
  "ARTIFACT_MEDIA_TYPE",
  "ARTIFACT_MISSING",
  "ARTIFACT_TOO_LARGE",
  "EGRESS_DENIED",
  "ERR_OUTPUT_NOT_IJSON",
  "SANDBOX_DENIED",
  "SANDBOX_LOST",
  "SANDBOX_PROTOCOL",
  "STEP_EXIT",
  "STEP_FAILED",
  "STEP_FLOOD",
  "STEP_OUTPUT_TOO_LARGE",
  "STEP_OUT_OF_MEMORY",
  "STEP_TIMEOUT",
]);

/** A failure as a host tells it: its code only from the closed list, its class from the table. */
export function claimedFailure(claim: {
  readonly code: string;
  readonly transient: boolean;
  readonly message: string;
}): StepResult {
  const code = claimable.has(claim.code as CodeName) ? (claim.code as CodeName) : "STEP_FAILED";
  // The step's own word counts for its own failure alone: nobody waits out a breach by calling it transient.
  return stepFailure(code, claim.message, code === "STEP_FAILED" && claim.transient ? "transient" : undefined);
}

/** Text that every store takes: no U+0000, no lone surrogate, no control characters but line breaks and tabs. */
export function shown(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "\ufffd").toWellFormed();
}
