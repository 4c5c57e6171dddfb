import { type SchemaName, schemas } from "../../spec/index.ts";
import { nearestText } from "../query/nearest.ts";
import { usage } from "../terminal.ts";
import { anyName, membersOf, rootOf, type SchemaMember, type SchemaNode } from "./schema-node.ts";

/** The kinds that people write, as `explain` calls them. */
export const explainedKinds = (Object.keys(schemas) as SchemaName[]).filter((kind) => kind !== "common");

export interface FoundField {
  /** `dag.spec.steps.<name>.retry`, `dag.spec.schedules[].cron`, whatever way it was asked for. */
  readonly field: string;
  readonly required: boolean;
  readonly node: SchemaNode;
  /** It lies in a field of its own definition. */
  readonly isInItself: boolean;
}

const kindField = (kind: SchemaName): FoundField => ({
  ...{ field: kind, required: true, node: rootOf(kind), isInItself: false },
});

/** All fields of a kind, outermost first; within what holds itself only once. */
export function* fieldsOf(kind: SchemaName): Generator<FoundField> {
  yield* below(kindField(kind), new Set());
}

function* below(found: FoundField, open: ReadonlySet<string>): Generator<FoundField> {
  const { definition } = found.node;
  const isInItself = definition !== null && open.has(definition);
  yield { ...found, isInItself };
  if (isInItself) return;
  const inner = definition === null ? open : new Set([...open, definition]);
  for (const member of membersOf(found.node)) yield* below(fieldOf(found.field, member), inner);
}

const fieldOf = (parent: string, { name, required, inList, node }: SchemaMember): FoundField => ({
  ...{ field: `${parent}${inList ? "[]" : ""}.${name}`, required, node, isInItself: false },
});

/**
 * A field by its path: `dag.spec.steps.retry`, `dag.spec.steps.collect.retry` and `dag.spec.steps.<name>.retry` are one;
 * `[]` and numbers of lists may be written. USAGE with the nearest names for any other.
 */
export function findField(text: string): FoundField {
  const [kind = "", ...parts] = text.split(".");
  if (!Object.hasOwn(schemas, kind)) throw unknownName(text);
  let found = kindField(kind as SchemaName);
  for (const part of parts.map((word) => word.replace(/\[\d*\]$/, ""))) {
    if (/^\d+$/.test(part)) continue;
    found = memberAt(found, part);
  }
  return found;
}

function memberAt({ field, node }: FoundField, part: string): FoundField {
  const members = membersOf(node);
  const direct = members.find(({ name }) => name === part);
  if (direct !== undefined) return fieldOf(field, direct);
  const any = members.find(({ name }) => name === anyName);
  const named = any === undefined ? members : membersOf(any.node);
  const names = named.map(({ name }) => name);
  const near = nearestText(part, names, Math.floor(part.length / 2));
  if (any !== undefined) {
    // `steps.retry` leaves the name of the step out; `steps.retries` is more likely a slip than a step of that name.
    const found = fieldOf(field, any);
    const through = named.find(({ name }) => name === part);
    if (through !== undefined) return fieldOf(found.field, through);
    if (near === "" || part === anyName) return found;
  }
  const there = names.length === 0 ? "it has no fields" : `there are: ${names.join(", ")}`;
  throw usage(`${field}: ${part} is no field here${near}; ${there}${elsewhere(field, part)}`);
}

/** Where else in the kind a field of that name stands. */
function elsewhere(field: string, part: string): string {
  const [kind = ""] = field.split(".");
  const found = [...fieldsOf(kind as SchemaName)]
    .map((other) => other.field)
    .filter((name) => name.endsWith(`.${part}`));
  return found.length === 0 ? "" : `; ${part} stands at ${found.slice(0, 3).join(", ")}`;
}

function unknownName(text: string): Error {
  const [word = "", ...path] = text.split(".");
  const all = path.length > 0 ? [] : explainedKinds.flatMap((kind) => [...fieldsOf(kind)]);
  const found = all.map(({ field }) => field).filter((field) => field.endsWith(`.${word}`));
  if (found.length > 0) return usage(`${text} is the name of a field, not its path: ${found.slice(0, 8).join(", ")}`);
  const kinds = explainedKinds.join(", ");
  return usage(`${text}: no code, and no field${nearestText(word, explainedKinds)} (kinds: ${kinds})`);
}
