import { canonicalText, type Json, type JsonObject } from "../../base/index.ts";

/** Thrown for a result that is no JSON; its message may be shown. */
export class NotJson extends Error {}

/** Thrown for a result that is too large to be a value. */
export class TooMuch extends Error {}

/** Nodes of one result: shared parts are walked as often as they stand in it. */
const maxNodes = 200_000;
export const maxResultChars = 1024 * 1024;

/** JSON's integers are CEL ints (BigInt), all other numbers doubles. */
function toCel(value: Json): unknown {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(toCel);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
}

/** A result as JSON: an int becomes a number; times, types and bytes are refused. */
export function fromCel(value: unknown, budget = { nodes: maxNodes, chars: maxResultChars }): Json {
  budget.nodes -= 1;
  if (budget.nodes < 0 || budget.chars < 0) throw new TooMuch("the result is too large");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return textFromCel(value, budget);
  if (typeof value === "bigint") return intFromCel(value);
  if (typeof value === "number") return numberFromCel(value);
  if (typeof value === "object") return objectFromCel(value, budget);
  throw new NotJson("a value that JSON cannot carry");
}

function numberFromCel(value: number): number {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
  throw new NotJson("a number that JSON cannot carry exactly");
}

function textFromCel(text: string, budget: { chars: number }): string {
  budget.chars -= text.length;
  if (budget.chars < 0) throw new TooMuch("the result is over 1 MiB");
  if (!text.isWellFormed() || text.includes("\u0000")) throw new NotJson("a text with U+0000 or half a character");
  return text;
}

function intFromCel(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new NotJson("an integer beyond 2^53");
  return number;
}

function objectFromCel(value: object, budget: { nodes: number; chars: number }): Json {
  if (Array.isArray(value)) return value.map((item) => fromCel(item, budget));
  if (value instanceof Date) throw new NotJson("a timestamp: make it a text with string(…)");
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new NotJson("a duration, type or bytes is no JSON");
  const members = Object.entries(value).map(
    ([key, member]) => [textFromCel(key, budget), fromCel(member, budget)] as const,
  );
  return Object.fromEntries(members);
}

/** How a value stands within a text: texts as they are, all else as canonical JSON. */
export const interpolated = (value: Json): string => (typeof value === "string" ? value : canonicalText(value));

/** The parts of a scope that an expression names, as CEL values: converting all of it would cost more than the answer. */
export function celContext(scope: JsonObject, paths: readonly (readonly string[])[]): JsonObject {
  const context: Record<string, unknown> = {};
  const steps: Record<string, Record<string, unknown>> = {};
  for (const [root = "", step = "", member = ""] of paths) {
    if (root !== "steps") {
      if (Object.hasOwn(scope, root) && !Object.hasOwn(context, root)) context[root] = toCel(scope[root] ?? null);
      continue;
    }
    const known = ownMember(scope["steps"], step);
    const value = ownMember(known, member);
    const converted = (steps[step] ??= {});
    if (value !== undefined && !Object.hasOwn(converted, member)) converted[member] = toCel(value);
    context["steps"] = steps;
  }
  return context as JsonObject;
}

function ownMember(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}
