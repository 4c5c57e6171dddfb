import { codes } from "../base/index.ts";
import type { Finding } from "../spec/index.ts";

/** `path:line:col ORY2006 SPEC_UNKNOWN_KEY message`; without a place, the path alone. */
export function findingText(finding: Finding): string {
  const place = finding.line === 0 ? finding.path : `${finding.path}:${finding.line}:${finding.col}`;
  return printable(`${place} ${codes[finding.code].number} ${finding.code} ${finding.message}`);
}

/** The first finding of a severity and how many more there are. */
export function findingsText(findings: readonly Finding[], severity: Finding["severity"]): string {
  const [first, ...more] = findings.filter((finding) => finding.severity === severity);
  if (first === undefined) return "";
  return more.length === 0 ? findingText(first) : `${findingText(first)} (and ${more.length} more)`;
}

// Text of a spec reaches terminals and logs: no control character, no direction mark gets there.
export const printable = (text: string): string =>
  text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
