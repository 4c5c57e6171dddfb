import { codes } from "../base/index.ts";
import { printable } from "../plan/index.ts";
import type { Finding, FindingSeverity } from "../spec/index.ts";
import { cellWidth } from "./cell-width.ts";

/** Text of a document by its repository path; null where it cannot be shown. */
export type ReadText = (path: string) => string | null;

type Shown = Pick<Finding, "code" | "severity" | "path" | "line" | "col" | "message" | "fix">;

/** A finding as a compiler prints it: place, code and message, the line with a caret, the fix, and whose rule it is. */
export function renderFinding(finding: Shown, readText: ReadText, rule: string | null = null): string {
  const { path, line, col, severity, code, message, fix } = finding;
  const place = line === 0 ? path : `${path}:${line}:${col}`;
  return [
    printable(`${place} ${severity} ${codes[code].number} ${code} ${message}`),
    ...excerpt(finding, readText),
    `    fix: ${printable(fix)}`,
    ...(rule === null ? [] : [`    rule: ${printable(rule)}`]),
  ].join("\n");
}

const maxShown = 120;
const contextBefore = 60;

function excerpt({ code, path, line, col }: Shown, readText: ReadText): readonly string[] {
  // The line holds what must not be shown again.
  if (code === "SECRET_IN_SPEC") return [];
  // A byte order mark counts in no column.
  const text =
    line === 0
      ? undefined
      : readText(path)
          ?.replace(/^\ufeff/, "")
          .split("\n")[line - 1];
  if (text === undefined) return [];
  // A line of 100,000 characters is not for a terminal.
  const from = col > maxShown ? wholeFrom(text, col - contextBefore) : 0;
  const shown = plainText(text.slice(from, from + maxShown));
  const number = String(line).padStart(5);
  const missing = Math.max(0, col - 1 - text.length);
  const before = cellWidth(plainText(text.slice(from, col - 1))) + missing;
  return [`${number} | ${shown.trimEnd()}`, `${" ".repeat(number.length)} | ${" ".repeat(before)}^`];
}

/** Never within a pair of surrogates. */
const wholeFrom = (text: string, at: number): number => (/^[\udc00-\udfff]/.test(text.slice(at)) ? at + 1 : at);

/** What would steer the terminal is one blank, whatever it is. */
const plainText = (text: string): string => Array.from(text, (unit) => (isPlain(unit) ? unit : " ")).join("");

const isPlain = (unit: string): boolean => unit.isWellFormed() && printable(unit) === unit;

/** `2 errors, 1 denied in 12 documents`. */
export function summaryOf(findings: readonly Shown[], documents: number): string {
  const count = (severity: FindingSeverity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const parts = [
    plural(count("error"), "error"),
    count("denied") === 0 ? "" : `${count("denied")} denied`,
    plural(count("warning"), "warning"),
  ].filter((part) => part !== "");
  return `${parts.length === 0 ? "nothing found" : parts.join(", ")} in ${documents} documents`;
}

const plural = (count: number, word: string): string =>
  count === 0 ? "" : `${count} ${word}${count === 1 ? "" : "s"}`;

export const isGrave = ({ severity }: Shown): boolean => severity !== "warning";
