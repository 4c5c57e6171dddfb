import canonicalize from "canonicalize";

/** A value of I-JSON (RFC 7493): what may be hashed, stored and handed between steps. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export const maxJsonDepth = 64;

/** Why a value is not I-JSON; `pointer` is an RFC 6901 path into it. */
export interface JsonDefect {
  readonly pointer: string;
  readonly reason: string;
}

/** Thrown by `canonicalText` alone; doors translate it into their own code. */
export class NotIJson extends Error {
  readonly defect: JsonDefect;
  constructor(defect: JsonDefect) {
    super(`not I-JSON at ${defect.pointer === "" ? "/" : defect.pointer}: ${defect.reason}`);
    this.name = "NotIJson";
    this.defect = defect;
  }
}

/**
 * The canonical text of a value (RFC 8785, JCS). Refuses what JSON cannot carry unchanged: undefined, non-finite
 * numbers, integers beyond 2^53, lone surrogates, U+0000, depth over 64, anything that is no plain object or array.
 */
export function canonicalText(value: unknown): string {
  const defect = jsonDefect(value);
  if (defect !== null) throw new NotIJson(defect);
  const text = canonicalize(value);
  if (text === undefined) throw new NotIJson({ pointer: "", reason: "no JSON value" });
  return text;
}

/** The value of a text that must already be canonical, else null: JCS(parse(text)) gives the same bytes. */
export function parseCanonical(text: string): { readonly value: Json } | null {
  try {
    const value = JSON.parse(text) as Json;
    return canonicalText(value) === text ? { value } : null;
  } catch {
    return null;
  }
}

/** The first defect in key order, or null. */
export function jsonDefect(value: unknown, pointer = "", depth = 0): JsonDefect | null {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "string") return stringDefect(value, pointer);
  if (typeof value === "number") return numberDefect(value, pointer);
  if (typeof value !== "object") return { pointer, reason: `${typeof value} is not a JSON value` };
  if (depth >= maxJsonDepth) return { pointer, reason: `deeper than ${String(maxJsonDepth)}` };
  if (Array.isArray(value)) return arrayDefect(value, pointer, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return { pointer, reason: "not a plain object" };
  return objectDefect(value, pointer, depth);
}

function stringDefect(text: string, pointer: string): JsonDefect | null {
  if (text.includes("\u0000")) return { pointer, reason: "U+0000 in a string" };
  return text.isWellFormed() ? null : { pointer, reason: "lone surrogate in a string" };
}

function numberDefect(value: number, pointer: string): JsonDefect | null {
  if (!Number.isFinite(value)) return { pointer, reason: "not a finite number" };
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return { pointer, reason: "integer beyond 2^53" };
  return null;
}

function arrayDefect(items: readonly unknown[], pointer: string, depth: number): JsonDefect | null {
  for (let i = 0; i < items.length; i++) {
    const defect = jsonDefect(items[i], `${pointer}/${String(i)}`, depth + 1);
    if (defect !== null) return defect;
  }
  return null;
}

function objectDefect(value: object, pointer: string, depth: number): JsonDefect | null {
  for (const [key, member] of Object.entries(value)) {
    const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const defect = stringDefect(key, at) ?? jsonDefect(member, at, depth + 1);
    if (defect !== null) return defect;
  }
  return null;
}
