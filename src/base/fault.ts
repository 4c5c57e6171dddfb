import { type CodeName, type CodeRow, codes } from "./codes.ts";

export type ErrorClass =
  | "transient"
  | "permanent"
  | "policy"
  | "quota"
  | "resource"
  | "timeout"
  | "lost"
  | "poison"
  | "cancelled"
  | "internal";

/** What the loop that meets a fault does next (STYLE.md section 3). */
export type Disposition = "stall" | "refuse" | "retry" | "reobserve" | "crash";

export interface FaultOptions {
  readonly cause?: unknown;
  /** Fields for logs and problem documents; safe to show to the tenant. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

/** The one failure class. `message` may be shown to a tenant; `cause` never leaves the process. */
export class Fault extends Error {
  readonly code: CodeName;
  readonly fields: Readonly<Record<string, string | number | boolean>>;

  constructor(code: CodeName, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.fields = options.fields ?? {};
  }

  get row(): CodeRow {
    return codes[this.code];
  }

  get disposition(): Disposition {
    return this.row.disposition;
  }
}

/** Every unknown error is `INTERNAL` with the original as cause: loud, retried by its loop. */
export function faultOf(error: unknown): Fault {
  return error instanceof Fault ? error : new Fault("INTERNAL", "internal error", { cause: error });
}
