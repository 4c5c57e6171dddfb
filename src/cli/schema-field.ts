import type { Json, JsonObject } from "../base/index.ts";
import { usage } from "./terminal.ts";

interface FieldQuestion {
  readonly name: string;
  readonly schema: JsonObject;
  readonly common: JsonObject;
  readonly path: readonly string[];
}

/** What the schema says of a field: description, type, default, examples and its members. */
export function explainField({ name, schema, common, path }: FieldQuestion): string {
  let node = resolve(schema, schema, common);
  for (const part of path) {
    const next = memberOf(node, part, schema, common);
    if (next === null)
      throw usage(`${name}: ${part} is no field here; there are: ${membersOf(node, schema, common).join(", ")}`);
    node = next;
  }
  const members = membersOf(node, schema, common);
  return [
    name,
    textOf(node["description"]) ?? textOf(node["title"]) ?? "",
    "",
    `type     ${typeText(node)}`,
    ...("default" in node ? [`default  ${JSON.stringify(node["default"])}`] : []),
    ...(Array.isArray(node["examples"])
      ? node["examples"].map((example: Json) => `example  ${JSON.stringify(example)}`)
      : []),
    ...(members.length === 0 ? [] : ["", `fields   ${members.join(", ")}`]),
  ].join("\n");
}

const textOf = (value: Json | undefined): string | null => (typeof value === "string" ? value : null);
const objectOf = (value: Json | undefined): JsonObject | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;

/** Follows `$ref` within the schema and into common.schema.json; siblings of the reference win. */
function resolve(node: JsonObject, schema: JsonObject, common: JsonObject): JsonObject {
  const reference = textOf(node["$ref"]);
  if (reference === null) return node;
  const [file = "", pointer = ""] = reference.split("#");
  let target: JsonObject | null = file === "" ? schema : common;
  for (const part of pointer.split("/").slice(1)) target = objectOf(target?.[part]);
  return target === null ? node : { ...resolve(target, file === "" ? schema : common, common), ...node };
}

/** The schemas that describe a member: of the object itself, of a list's items, of a map's values, of each alternative. */
function places(node: JsonObject, schema: JsonObject, common: JsonObject): readonly JsonObject[] {
  const direct = [
    node["items"],
    node["additionalProperties"],
    ...listOf(node["oneOf"]),
    ...listOf(node["anyOf"]),
    ...listOf(node["allOf"]),
  ];
  const patterns = Object.values(objectOf(node["patternProperties"]) ?? {});
  return [...direct, ...patterns]
    .map(objectOf)
    .filter((place) => place !== null)
    .map((place) => resolve(place, schema, common));
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);

function memberOf(node: JsonObject, part: string, schema: JsonObject, common: JsonObject): JsonObject | null {
  const own = objectOf(objectOf(node["properties"])?.[part]);
  if (own !== null) return resolve(own, schema, common);
  for (const place of places(node, schema, common)) {
    const found = memberOf(place, part, schema, common);
    if (found !== null) return found;
  }
  return null;
}

function membersOf(node: JsonObject, schema: JsonObject, common: JsonObject): readonly string[] {
  const own = Object.keys(objectOf(node["properties"]) ?? {});
  if (own.length > 0) return own;
  return [...new Set(places(node, schema, common).flatMap((place) => membersOf(place, schema, common)))];
}

function typeText(node: JsonObject): string {
  if (Array.isArray(node["enum"])) return node["enum"].map((value: Json) => JSON.stringify(value)).join(" | ");
  if ("const" in node) return JSON.stringify(node["const"]);
  const type = node["type"];
  if (Array.isArray(type)) return type.join(" | ");
  return textOf(type) ?? "any";
}
