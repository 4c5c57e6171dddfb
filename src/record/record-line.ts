import { type Json, type JsonObject, maxJsonDepth, parseCanonical } from "../base/index.ts";

/**
 * The object of a line that is canonical JSON (RFC 8785), else null. JSON.stringify spells strings and numbers as
 * RFC 8785 does and repeats the order of keys, so most lines need no second canonicalisation.
 */
export function recordLine(text: string): JsonObject | null {
  const value = parsed(text);
  if (!isObject(value)) return null;
  // Escapes that JCS refuses or that say nothing about the order of keys: the slow way decides.
  if (/\\u(?:0000|d[89a-f])/.test(text) || !isOrdered(value, 0) || JSON.stringify(value) !== text) {
    const canonical = parseCanonical(text)?.value;
    return isObject(canonical) ? canonical : null;
  }
  return value;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOrdered(value: Json, depth: number): boolean {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= maxJsonDepth) return false;
  if (Array.isArray(value)) return value.every((item: Json) => isOrdered(item, depth + 1));
  let last = "";
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (key < last || !isOrdered(member, depth + 1)) return false;
    last = key;
  }
  return true;
}
