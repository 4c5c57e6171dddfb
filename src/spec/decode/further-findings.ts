import type { Finding } from "./finding.ts";
import { sortFindings } from "./schema-findings.ts";

/**
 * Findings of a document with what its draft shows: a key too many must not hide a cycle. What only follows from such a
 * key is left out: `neds` for `needs` makes no second finding about a step that is not upstream.
 */
export function withFurther(findings: readonly Finding[], further: readonly Finding[]): readonly Finding[] {
  const torn = findings
    .filter(({ code }) => code === "SPEC_UNKNOWN_KEY")
    .map(({ pointer }) => pointer.slice(0, pointer.lastIndexOf("/")));
  const follows = ({ pointer, code }: Finding): boolean =>
    torn.some((parent) =>
      parent === "/spec"
        ? ofWholeDag.includes(code)
        : ofOneStep.includes(code) && (pointer === parent || pointer.startsWith(`${parent}/`)),
    );
  // Of the text and of the value it is one secret.
  const isSaid = ({ code, line, col }: Finding): boolean =>
    findings.some((other) => other.code === code && other.line === line && other.col === col);
  return sortFindings([...findings, ...further.filter((finding) => !follows(finding) && !isSaid(finding))]);
}

/** What `inputs` or `finally` under another name would bring about anywhere. */
const ofWholeDag: readonly string[] = ["EXPR_REFERENCE", "SCHEDULE_INVALID"];
const ofOneStep: readonly string[] = [...ofWholeDag, "EXPR_TYPE", "STEP_CODE", "STEP_INPUT", "STEP_SECRETS"];
