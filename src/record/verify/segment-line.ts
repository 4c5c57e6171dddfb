import { type Hex, hexOf, type JsonObject, type Sha256 } from "../../base/index.ts";
import { recordLine } from "../record-line.ts";

/** One line of a segment as it stands there. */
export interface SegmentLine {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Without LF. */
  readonly bytes: Uint8Array;
  /** null where the bytes are no UTF-8. */
  readonly text: string | null;
  /** SHA-256 of `bytes`: the next line's `prev`. */
  readonly hash: Hex;
  /** null where the bytes are no canonical JSON object. */
  readonly record: JsonObject | null;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lf = 10;

/** All lines; `complete` is false where the last one lacks its LF or there is none. */
export function segmentLines(
  path: string,
  bytes: Uint8Array,
  sha256: Sha256,
): { readonly lines: readonly SegmentLine[]; readonly complete: boolean } {
  const lines: SegmentLine[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lf, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    const text = textOf(line);
    const record = text === null ? null : recordLine(text);
    lines.push({ path, line: lines.length + 1, bytes: line, text, hash: hexOf(sha256(line)), record });
    start = end + 1;
  }
  return { lines, complete: bytes.at(-1) === lf };
}

/** Text of bytes that are UTF-8, else null. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** A member that is a safe integer of at least 0, else null. */
export function countMember(record: JsonObject | null, name: string): number | null {
  const value = record?.[name];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function textMember(record: JsonObject | null, name: string): string | null {
  const value = record?.[name];
  return typeof value === "string" ? value : null;
}
