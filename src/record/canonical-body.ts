import { canonicalText } from "../base/index.ts";
import type { Actor, Trigger } from "../run/index.ts";
import type { RecordActor, RecordHead, RecordRationale } from "./record-head.ts";
import type { RecordTrigger } from "./run-record.ts";

/** A body that waits for its envelope: what the store's outbox takes. */
export interface RecordBody<Kind extends string = string> {
  readonly recordId: string;
  readonly tenant: string;
  readonly kind: Kind;
  readonly dagId: string | null;
  readonly runId: string | null;
  /** Canonical JSON (RFC 8785) of the record without its envelope. */
  readonly bodyText: string;
}

interface AnyBody extends RecordHead {
  readonly kind: string;
  readonly dagId?: string;
  readonly runId?: string;
}

/** The body and its text. Throws NotIJson where a member is not I-JSON. */
export function recordBody<Body extends AnyBody>(body: Body): RecordBody<Body["kind"]> {
  return {
    recordId: body.recordId,
    tenant: body.tenant,
    kind: body.kind,
    dagId: body.dagId ?? null,
    runId: body.runId ?? null,
    bodyText: canonicalText(body),
  };
}

type Absentable<T> = { readonly [K in keyof T]: T[K] | undefined };
type Present<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Drops members that are undefined: in a record a member without a value is left out. A null stays. */
export function present<T extends object>(members: Absentable<T>): Present<T> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) kept[name] = value;
  }
  return kept as Present<T>;
}

/** An empty list says nothing: it is left out. */
export function orAbsent<T>(list: readonly T[] | null | undefined): readonly T[] | undefined {
  return list === null || list === undefined || list.length === 0 ? undefined : list;
}

export function actorMember({ kind, subject, key }: Actor): RecordActor {
  return present({ kind, subject, key: key ?? undefined });
}

export function triggerMember({ kind, key, schedule, slot }: Trigger): RecordTrigger {
  return present({ kind, key, schedule: schedule ?? undefined, slot: slot ?? undefined });
}

/** UTF-16 order, as RFC 8785 sorts; equal to byte order for ids and record ids, which are ASCII. */
export function compareText(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** Room for the envelope below the 256 KiB of a line. */
export const maxBodyBytes = 255 * 1024;

/** Longer texts (a commit message may have any length) are cut, so that no line grows past its limit. */
const maxRationaleChars = 4096;

export function rationaleMember(rationale: readonly RecordRationale[]): readonly RecordRationale[] | undefined {
  const given = rationale.filter(({ text }) => text !== "");
  return orAbsent(given.map(({ source, text }) => ({ source, text: cut(text) })));
}

function cut(text: string): string {
  if (text.length <= maxRationaleChars) return text;
  // A surrogate pair is not cut in two: a lone half is no JSON.
  const end = /[\ud800-\udbff]/.test(text[maxRationaleChars - 2] ?? "") ? maxRationaleChars - 2 : maxRationaleChars - 1;
  return `${text.slice(0, end)}\u2026`;
}
