import type { Json, JsonObject } from "../../base/index.ts";
import type { components } from "../generated/documents.ts";

type InputDocument = components["schemas"]["Input"];

/** Schema of the inputs of a DAG that has none. */
export const emptyInputs: JsonObject = { type: "object", additionalProperties: false };

/** `{ day: { type: date } }` as the JSON Schema of the inputs object; an input without default is required. */
export function expandInputs(inputs: Readonly<Record<string, InputDocument>>): JsonObject {
  const names = Object.keys(inputs);
  if (names.length === 0) return emptyInputs;
  const required = names.filter((name) => inputs[name]?.default === undefined).sort();
  return {
    ...emptyInputs,
    properties: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, expandInput(input)])),
    ...(required.length === 0 ? {} : { required }),
  };
}

function expandInput({ type, ...rest }: InputDocument): JsonObject {
  const typed = type === "date" ? { type: "string", format: "date" } : { type };
  return { ...(rest as JsonObject), ...typed };
}

/** The `default` of each input that has one. */
export function inputDefaults(schema: JsonObject): JsonObject {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Json>>;
  const found: Record<string, Json> = {};
  for (const [name, property] of Object.entries(properties)) {
    const value = typeof property === "object" && property !== null ? (property as JsonObject)["default"] : undefined;
    if (value !== undefined) found[name] = value;
  }
  return found;
}
