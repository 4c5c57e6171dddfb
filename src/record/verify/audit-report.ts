import type { CodeName, Hex, UtcText } from "../../base/index.ts";

export type AuditCode = Extract<
  CodeName,
  | "AUDIT_TAMPERED"
  | "AUDIT_GAP"
  | "AUDIT_ORDER"
  | "AUDIT_TRUNCATED"
  | "AUDIT_SIGNER"
  | "AUDIT_SIGNATURE"
  | "AUDIT_FORKED"
  | "AUDIT_FORMAT"
  | "AUDIT_REWRITTEN"
  | "AUDIT_CHECKPOINT"
>;

/** One thing that is wrong; null where it is about no record, file or line. `line` counts from 1 within `path`. */
export interface AuditFinding {
  readonly code: AuditCode;
  readonly tenant: string | null;
  readonly seq: number | null;
  readonly path: string | null;
  readonly line: number | null;
  readonly message: string;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly site: string | null;
  /** Record lines seen, and commits. */
  readonly records: number;
  readonly batches: number;
  /** In byte order. */
  readonly tenants: readonly { readonly tenant: string; readonly records: number; readonly lastSeq: number }[];
  /** The newest commit; size and root as its records give them. null = no commit at all. */
  readonly head: AuditHead | null;
  readonly findings: readonly AuditFinding[];
  /** In plain words, what this verdict does not say. Never empty. */
  readonly notProven: readonly string[];
}

export interface AuditHead {
  readonly commit: string;
  readonly size: number;
  readonly root: Hex;
  readonly timestamp: UtcText | null;
}

/** Where a finding points; a record's place fits as it is. */
export interface FindingPlace {
  readonly tenant?: string | null;
  readonly seq?: number | null;
  readonly path?: string | null;
  readonly line?: number | null;
}

/** A forged branch may be wrong in every line: more findings than this help nobody. */
const maxFindings = 1000;

/** Findings in the order they were made, each record and code named once. */
export class FindingList {
  readonly #seen = new Set<string>();
  readonly #list: AuditFinding[] = [];
  /** How many did not fit. */
  dropped = 0;

  /** False where this code already names this place. */
  add(code: AuditCode, place: FindingPlace, message: string): boolean {
    const { tenant = null, seq = null, path = null, line = null } = place;
    const about = seq === null ? [code, tenant, path, line, message] : [code, tenant, seq];
    const key = JSON.stringify(about);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#list.length < maxFindings) this.#list.push({ code, tenant, seq, path, line, message });
    else this.dropped++;
    return true;
  }

  get all(): readonly AuditFinding[] {
    return this.#list;
  }
}
