import { apiCodes } from "./codes/api.ts";
import { auditCodes } from "./codes/audit.ts";
import { dagCodes } from "./codes/dag.ts";
import { grantCodes } from "./codes/grant.ts";
import { installCodes } from "./codes/install.ts";
import { runCodes } from "./codes/run.ts";
import { specCodes } from "./codes/spec.ts";
import { stepCodes } from "./codes/step.ts";
import { trustCodes } from "./codes/trust.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Disposition, ErrorClass } from "./fault.ts";

/** One row of the one table of messages (DESIGN.md section 2). docs/errors/ is made from it. */
export interface CodeRow {
  /** `ORYnnnn`: 1 install, 2 spec, 3 not granted, 4 trust and reconcile, 5 run and sandbox, 6 audit, 7 API. */
  readonly number: `ORY${number}`;
  readonly class: ErrorClass;
  readonly disposition: Disposition;
  readonly http: number;
  readonly exit: ExitCode;
  readonly title: string;
  readonly cause: string;
  readonly fix: string;
}

export const codes = {
  ...installCodes,
  ...specCodes,
  ...dagCodes,
  ...grantCodes,
  ...trustCodes,
  ...stepCodes,
  ...runCodes,
  ...auditCodes,
  ...apiCodes,
} as const satisfies Record<string, CodeRow>;

export type CodeName = keyof typeof codes;

/** The row of a code that may come from a record or a host; null for a name that this version does not know. */
export function codeRow(name: string): CodeRow | null {
  return Object.hasOwn(codes, name) ? codes[name as CodeName] : null;
}

/** Finds by name or by number. */
export function findCode(nameOrNumber: string): { readonly name: CodeName; readonly row: CodeRow } | null {
  const wanted = nameOrNumber.toUpperCase();
  for (const [name, row] of Object.entries(codes)) {
    if (name === wanted || row.number === wanted) return { name: name as CodeName, row };
  }
  return null;
}
