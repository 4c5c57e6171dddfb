const maxDepth = 64;

/**
 * Why a value is no I-JSON (RFC 7493), or null. The daemon judges again with its own rules; this one only names the
 * defect early and where it was made. Nothing of the daemon is imported inside.
 */
export function ijsonDefect(value: unknown, depth = 0): string | null {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "string") return textDefect(value);
  if (typeof value === "number") return numberDefect(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  if (depth >= maxDepth) return `deeper than ${maxDepth}`;
  if (Array.isArray(value)) return first(value.keys(), (i) => within(String(i), ijsonDefect(value[i], depth + 1)));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return "an object that is not plain";
  return first(Object.entries(value), ([key, member]) =>
    within(key, textDefect(key) ?? ijsonDefect(member, depth + 1)),
  );
}

function textDefect(text: string): string | null {
  if (text.includes("\0")) return "U+0000 in a string";
  return text.isWellFormed() ? null : "a lone surrogate in a string";
}

function numberDefect(value: number): string | null {
  if (!Number.isFinite(value)) return "not a finite number";
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? "an integer beyond 2^53" : null;
}

const within = (key: string, defect: string | null): string | null =>
  defect === null ? null : `${defect} (in ${JSON.stringify(key.slice(0, 80))})`;

function first<T>(items: Iterable<T>, judge: (item: T) => string | null): string | null {
  for (const item of items) {
    const defect = judge(item);
    if (defect !== null) return defect;
  }
  return null;
}
