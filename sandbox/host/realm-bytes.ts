import { types } from "node:util";

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
// Ours, taken once: `bytes.set` on an array of a realm is whatever its plugin put there, and would be handed our array.
const set = Reflect.get(prototype, "set") as (source: Uint8Array, at: number) => void;
const length = Object.getOwnPropertyDescriptor(prototype, "length");

/** A brand check that no proxy or prototype of a realm can fool. */
export const isBytes = (value: unknown): value is Uint8Array => types.isUint8Array(value);

/** The true length of bytes of a realm. */
export function lengthOf(bytes: Uint8Array): number {
  return Number(length?.get?.call(bytes));
}

/** Copies into bytes of a realm without calling anything of it. */
export function copyInto(target: Uint8Array, source: Uint8Array, at = 0): void {
  Reflect.apply(set, target, [source, at]);
}
