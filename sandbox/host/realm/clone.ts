/** structuredClone for plain data, Map, Set, Date, RegExp, errors and bytes; functions and symbols are refused. */
export function structuredClone(value: unknown): unknown {
  return cloneOf(value, new Map());
}

function cloneOf(value: unknown, seen: Map<object, object>): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw new TypeError(`${typeof value} cannot be cloned`);
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const leaf = leafOf(value);
  if (leaf !== null) return remember(value, leaf, seen);
  if (value instanceof Map) return fillMap(value, seen);
  if (value instanceof Set) return fillSet(value, seen);
  const target = remember(
    value,
    Array.isArray(value) ? new Array(value.length) : value instanceof Error ? errorOf(value) : {},
    seen,
  );
  for (const key of Object.keys(value))
    (target as Record<string, unknown>)[key] = cloneOf((value as Record<string, unknown>)[key], seen);
  return target;
}

function remember<T extends object>(from: object, to: T, seen: Map<object, object>): T {
  seen.set(from, to);
  return to;
}

function leafOf(value: object): object | null {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (!ArrayBuffer.isView(value)) return null;
  const buffer = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
  const View = value.constructor as new (buffer: ArrayBufferLike) => object;
  return new View(buffer);
}

function errorOf(error: Error): Error {
  const copy = new Error(error.message);
  copy.name = error.name;
  return copy;
}

function fillMap(value: Map<unknown, unknown>, seen: Map<object, object>): Map<unknown, unknown> {
  const target = remember(value, new Map<unknown, unknown>(), seen);
  for (const [key, member] of value) target.set(cloneOf(key, seen), cloneOf(member, seen));
  return target;
}

function fillSet(value: Set<unknown>, seen: Map<object, object>): Set<unknown> {
  const target = remember(value, new Set<unknown>(), seen);
  for (const member of value) target.add(cloneOf(member, seen));
  return target;
}
