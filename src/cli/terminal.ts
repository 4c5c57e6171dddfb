import { codes, type ExitCode, exitCodes, Fault, faultOf } from "../base/index.ts";

/** Where a command speaks: results on stdout, everything about them on stderr. */
export interface Terminal {
  /** One line of the result. */
  print(line: string): void;
  /** One line about it. */
  note(line: string): void;
  readonly isTty: boolean;
  /** Characters of a line; absent where it is no terminal. */
  readonly columns?: number;
}

export const processTerminal: Terminal = {
  print: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  isTty: process.stdout.isTTY,
  ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
};

/** Columns as wide as their widest cell; the last one is not padded. Header in capitals, as kubectl and docker do. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header.map((title) => title.toUpperCase()), ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Prints what went wrong with number, name, cause and fix; answers the exit code. */
export function reportFault(terminal: Terminal, error: unknown): ExitCode {
  const fault = faultOf(error);
  const row = codes[fault.code];
  const detail =
    fault.code === "INTERNAL" && fault.cause instanceof Error
      ? (fault.cause.stack ?? fault.cause.message)
      : fault.message;
  terminal.note(`orrery: ${row.number} ${fault.code}: ${harmless(detail)}`);
  terminal.note(`    fix: ${row.fix}`);
  return fault.code === "INTERNAL" ? exitCodes.bug : row.exit;
}

/** Messages name files, refs and arguments: none of them may steer the terminal. Lines stay. */
const harmless = (text: string): string =>
  text.replaceAll(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** A usage error of our own, exit 2. */
export const usage = (message: string): Fault => new Fault("USAGE", message);
