import type { Json, JsonObject } from "../../base/index.ts";
import { type SchemaName, schemas } from "../../spec/index.ts";
import { explainedKinds, type FoundField, fieldsOf } from "./field-path.ts";
import { itemsOf, listOf, membersOf, type SchemaNode, waysOf } from "./schema-node.ts";

/** What the schemas say of a field. */
export interface FieldFacts {
  readonly field: string;
  /** The file that the kind is written in. */
  readonly file: string;
  readonly description: string;
  readonly type: string;
  readonly required: boolean;
  /** What fits besides the type: `at least 1`, `matches ^…$`. */
  readonly limits: readonly string[];
  readonly default?: Json;
  readonly examples: readonly Json[];
  readonly fields: readonly {
    readonly name: string;
    readonly default?: Json;
    readonly type: string;
    readonly required: boolean;
    readonly description: string;
  }[];
  /** Other fields of the same definition. */
  readonly alsoAt: readonly string[];
}

export interface KindFacts {
  readonly kind: SchemaName;
  readonly file: string;
  readonly description: string;
}

export const kindFacts = (): readonly KindFacts[] =>
  explainedKinds.map((kind) => {
    // `tenants/<tenant>/quota.yaml: how much …`
    const [, file = "", description = ""] = /^(\S+): (.*)$/s.exec(textOf(schemas[kind]["description"])) ?? [];
    return { kind, file, description };
  });

export function fieldFacts({ field, required, node }: FoundField): FieldFacts {
  const { schema } = node;
  const members = membersOf(node);
  const unique = [...new Map(members.map((member) => [member.name, member])).values()];
  return {
    field,
    file: kindFacts().find(({ kind }) => kind === field.split(".")[0])?.file ?? "",
    description: textOf(schema["description"]) || textOf(schema["title"]),
    type: typeText(node),
    required,
    limits: limitsOf(schema),
    ...defaultOf(schema),
    examples: listOf(schema["examples"]),
    fields: unique.map((member) => ({
      name: member.name,
      ...defaultOf(member.node.schema),
      type: typeText(member.node),
      required: member.required,
      description: textOf(member.node.schema["description"]),
    })),
    alsoAt: alsoAt(field, node),
  };
}

const defaultOf = (schema: JsonObject): { readonly default?: Json } =>
  schema["default"] === undefined ? {} : { default: schema["default"] };

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

function typeText({ schema, home }: SchemaNode): string {
  const values = schema["enum"];
  if (Array.isArray(values)) return values.map((value: Json) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const ways = waysOf({ schema, home, definition: null });
  if (ways.length > 0) return ways.map(typeText).join(" | ");
  const types = [schema["type"] ?? []].flat();
  return types.length === 0 ? "any value" : types.map((type) => wordOf(type, { schema, home })).join(" | ");
}

function wordOf(type: Json, { schema, home }: Pick<SchemaNode, "schema" | "home">): string {
  if (type === "object") return "mapping";
  if (type !== "array") return textOf(type);
  const [item] = itemsOf({ schema, home, definition: null });
  return `list of ${item === undefined ? "values" : typeText(item).replace(/^mapping$/, "mappings")}`;
}

const limitWords: readonly (readonly [key: string, words: (value: string) => string])[] = [
  ["minimum", (value) => `at least ${value}`],
  ["maximum", (value) => `at most ${value}`],
  ["exclusiveMinimum", (value) => `more than ${value}`],
  ["exclusiveMaximum", (value) => `less than ${value}`],
  ["minLength", (value) => `at least ${value} characters`],
  ["maxLength", (value) => `at most ${value} characters`],
  ["minItems", (value) => `at least ${value} items`],
  ["maxItems", (value) => `at most ${value} items`],
  ["minProperties", (value) => `at least ${value} entries`],
  ["maxProperties", (value) => `at most ${value} entries`],
  ["pattern", (value) => `matches ${value}`],
];

const limitsOf = (schema: JsonObject): readonly string[] =>
  limitWords.flatMap(([key, words]) => {
    const value = schema[key];
    return typeof value === "number" || typeof value === "string" ? [words(String(value))] : [];
  });

function alsoAt(field: string, { definition }: SchemaNode): readonly string[] {
  if (definition === null) return [];
  const all = explainedKinds.flatMap((kind) => [...fieldsOf(kind)]);
  const same = all.filter(
    (other) => other.node.definition === definition && other.field !== field && !other.isInItself,
  );
  return [...new Set(same.map((other) => other.field))];
}
