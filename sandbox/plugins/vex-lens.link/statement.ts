import type { JsonValue } from "../../sdk.ts";

/**
 * One statement about one product (and subcomponent), as its document says it: nothing is corrected, scored or preferred.
 * `status`, `justification` and times stay the document's own text.
 */
export interface Statement {
  readonly vulnerability: string;
  readonly aliases: readonly string[];
  readonly product: string;
  readonly subcomponent: string | null;
  readonly status: string;
  readonly justification: string | null;
  readonly timestamp: string | null;
  readonly source: Provenance;
}

/** Where the statement stands: enough to find its bytes again. */
export interface Provenance {
  readonly author: string | null;
  readonly documentId: string | null;
  readonly documentVersion: string | null;
  /** SHA-256 of the document's bytes. */
  readonly sha256: string;
  /** RFC 6901 pointer to the statement. */
  readonly pointer: string;
}

export interface DocumentFacts {
  readonly format: "openvex" | "cyclonedx-vex";
  readonly id: string | null;
  readonly version: string | null;
  readonly author: string | null;
  readonly timestamp: string | null;
}

export interface ReadDocument {
  readonly facts: DocumentFacts;
  readonly statements: readonly Statement[];
}

export type JsonMembers = { readonly [key: string]: JsonValue };
type Members = { readonly [key: string]: JsonValue | undefined };

export const membersOf = (value: JsonValue | undefined): Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
export const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : [];
export const textOf = (value: JsonValue | undefined): string | null =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : null;
export const textsOf = (value: JsonValue | undefined): readonly string[] =>
  listOf(value).filter((item): item is string => typeof item === "string");

/** Members without a value are left out. */
export function statementOutput(statement: Statement): JsonMembers {
  const { subcomponent, justification, timestamp, source, ...rest } = statement;
  return compact({ ...rest, subcomponent, justification, timestamp, source: compact({ ...source }) });
}

export function compact(members: Members): JsonMembers {
  return Object.fromEntries(
    Object.entries(members).filter(
      (entry): entry is [string, JsonValue] => entry[1] !== null && entry[1] !== undefined,
    ),
  );
}
