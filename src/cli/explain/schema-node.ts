import type { Json, JsonObject } from "../../base/index.ts";
import { type SchemaName, schemas } from "../../spec/index.ts";

/** A schema with its references followed. */
export interface SchemaNode {
  readonly schema: JsonObject;
  /** The document that its own references start from. */
  readonly home: SchemaName;
  /** The definition that it came through, `dag#/$defs/retry`; null where it is written in place. */
  readonly definition: string | null;
}

/** A member of a mapping: under its name, or `<name>` where every name is allowed. */
export interface SchemaMember {
  readonly name: string;
  readonly required: boolean;
  /** It belongs to the items of a list. */
  readonly inList: boolean;
  readonly node: SchemaNode;
}

const objectOf = (value: Json | undefined): JsonObject | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;

export const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

export const rootOf = (kind: SchemaName): SchemaNode => nodeOf(schemas[kind], kind);

/** Siblings of a reference win over what it leads to; the first definition on the way counts. */
function nodeOf(schema: JsonObject, home: SchemaName): SchemaNode {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return { schema, home, definition: null };
  const [file = "", pointer = ""] = reference.split("#");
  const target = (file === "" ? home : file.replace(".schema.json", "")) as SchemaName;
  let at: JsonObject | null = schemas[target];
  for (const part of pointer.split("/").slice(1)) at = objectOf(at?.[part]);
  if (at === null) return { schema, home, definition: null };
  const led = nodeOf(at, target);
  return { schema: { ...led.schema, ...schema }, home: led.home, definition: `${target}#${pointer}` };
}

/** What the items of a list are, where it says so. */
export const itemsOf = (node: SchemaNode): readonly SchemaNode[] => nodesAt(node, [node.schema["items"]]);

/** The choices, each of which would do. */
export const waysOf = (node: SchemaNode): readonly SchemaNode[] =>
  nodesAt(node, [...listOf(node.schema["oneOf"]), ...listOf(node.schema["anyOf"])]);

const nodesAt = ({ home }: SchemaNode, schemasAt: readonly (Json | undefined)[]): readonly SchemaNode[] =>
  schemasAt
    .map(objectOf)
    .filter((schema) => schema !== null)
    .map((schema) => nodeOf(schema, home));

/** The members of a mapping, or of the mappings that a list holds; those with a name first. */
export function membersOf(node: SchemaNode): readonly SchemaMember[] {
  const { schema } = node;
  const required = listOf(schema["required"]);
  const named = Object.entries(objectOf(schema["properties"]) ?? {}).flatMap(([name, member]) =>
    nodesAt(node, [member]).map((at) => ({ name, required: required.includes(name), inList: false, node: at })),
  );
  const patterns = Object.values(objectOf(schema["patternProperties"]) ?? {});
  const any = nodesAt(node, [schema["additionalProperties"], ...patterns]).map((at) => ({
    ...{ name: anyName, required: false, inList: false, node: at },
  }));
  const ways = [...waysOf(node), ...nodesAt(node, listOf(schema["allOf"]))].flatMap(membersOf);
  const items = itemsOf(node).flatMap(membersOf);
  return [...named, ...any, ...ways, ...items.map((member) => ({ ...member, inList: true }))];
}

export const anyName = "<name>";
