import type { CodeName } from "../../base/index.ts";

/** What a finding means for its document (DESIGN.md section 4): held alone, applied but not armed, or nothing. */
export type FindingSeverity = "error" | "denied" | "warning";

/** One thing wrong with one document. `line` and `col` count from 1; 0 where there is no place. */
export interface Finding {
  readonly code: CodeName;
  readonly severity: FindingSeverity;
  readonly path: string;
  readonly line: number;
  readonly col: number;
  /** RFC 6901 pointer into the document, "" for the whole. */
  readonly pointer: string;
  readonly message: string;
  readonly fix: string;
}
