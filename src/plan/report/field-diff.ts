import { canonicalText, type Json, type JsonObject } from "../../base/index.ts";

/** One field that differs. `before` is undefined where it was added, `after` where it was removed. */
export interface FieldChange {
  /** Names joined by dots, an element of a list by its `name` or its index: `steps.link.limits.memory`. */
  readonly field: string;
  readonly before?: Json;
  readonly after?: Json;
}

/**
 * What differs between two values in normal form, field by field, in byte order. Lists of named objects are compared by
 * name, so that a new first schedule is one addition; lists without names are one value. Pure and total.
 */
export function fieldDiff(before: Json | undefined, after: Json | undefined): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  const open: Pair[] = [{ field: "", before, after }];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    if (same(pair.before, pair.after)) continue;
    const [left, right] = [fieldsOf(pair.before), fieldsOf(pair.after)];
    if (left === null || right === null) {
      changes.push(changeOf(pair));
      continue;
    }
    for (const name of new Set([...left.keys(), ...right.keys()])) {
      const field = pair.field === "" ? name : `${pair.field}.${name}`;
      open.push({ field, before: left.get(name), after: right.get(name) });
    }
  }
  return changes.sort((a, b) => (a.field < b.field ? -1 : 1));
}

interface Pair {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

const changeOf = ({ field, before, after }: Pair): FieldChange => ({
  field,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});

const same = (a: Json | undefined, b: Json | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && canonicalText(a) === canonicalText(b));

/** The parts that can be compared one by one, or null where the value is one. */
function fieldsOf(value: Json | undefined): ReadonlyMap<string, Json> | null {
  if (value === null || typeof value !== "object") return null;
  if (!isList(value)) return new Map(Object.entries(value));
  const named = value.map((item) => [nameOf(item), item] as const);
  const names = new Set(named.map(([name]) => name));
  if (value.length === 0 || names.has(null) || names.size !== value.length) return null;
  return new Map(named.map(([name, item]) => [name ?? "", item]));
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

function nameOf(item: Json): string | null {
  if (item === null || typeof item !== "object" || Array.isArray(item)) return null;
  const { name } = item as JsonObject;
  return typeof name === "string" ? name : null;
}
