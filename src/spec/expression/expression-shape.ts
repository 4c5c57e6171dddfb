import type { Json, JsonObject } from "../../base/index.ts";

/** How large a value can be: the ground of the cost bound. */
export interface Shape {
  /** Items of a list, or keys of a mapping, at most. */
  readonly items: number;
  /** UTF-16 units of a text, at most. */
  readonly chars: number;
  member(key: string): Shape;
  element(): Shape;
}

const unknownItems = 1000;
const unknownChars = 256;

export const unknownShape: Shape = {
  items: unknownItems,
  chars: unknownChars,
  member: () => unknownShape,
  element: () => unknownShape,
};

export const scalarShape = (chars: number): Shape => ({
  items: 0,
  chars,
  member: () => scalarShape(chars),
  element: () => scalarShape(chars),
});

/** Parts are asked for many times by nested macros: each is worked out once, or a chain of `bind` would double the work. */
function lazyShape(
  own: { readonly items: number; readonly chars: number },
  parts: Pick<Shape, "member" | "element">,
): Shape {
  const members = new Map<string, Shape>();
  let element: Shape | null = null;
  return {
    ...own,
    member: (key) => {
      const shape = members.get(key) ?? parts.member(key);
      members.set(key, shape);
      return shape;
    },
    element: () => (element ??= parts.element()),
  };
}

/** The shape of values that may stand at one place: the largest of each. */
export function shapeOfValues(values: readonly Json[]): Shape {
  let items = 0;
  let chars = 0;
  for (const value of values) {
    if (typeof value === "string") chars = Math.max(chars, value.length);
    else if (Array.isArray(value)) items = Math.max(items, value.length);
    else if (typeof value === "object" && value !== null) items = Math.max(items, Object.keys(value).length);
  }
  return lazyShape(
    { items, chars },
    {
      member: (key) => shapeOfValues(values.flatMap((value) => (hasKey(value, key) ? [value[key] ?? null] : []))),
      // A macro over a mapping iterates its keys, an index reads its values.
      element: () => shapeOfValues(values.flatMap(elementsOf)),
    },
  );
}

const hasKey = (value: Json, key: string): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key);

function elementsOf(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flat();
}

const scalarTypes: readonly string[] = ["string", "integer", "number", "boolean", "null"];
const numberChars = 32;

/** The shape that a JSON Schema allows; null = anything. */
export function shapeOfSchema(schema: Json | undefined): Shape {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return unknownShape;
  const node = schema as JsonObject;
  const bound = (key: string, otherwise: number): number => (typeof node[key] === "number" ? node[key] : otherwise);
  const types = [node["type"] ?? []].flat() as readonly string[];
  // Texts and numbers hold nothing to walk: comparing two of them is one turn, not a thousand.
  if (types.length > 0 && types.every((type) => scalarTypes.includes(type)))
    return scalarShape(types.includes("string") ? bound("maxLength", unknownChars) : numberChars);
  return {
    items: node["type"] === "object" ? bound("maxProperties", unknownItems) : bound("maxItems", unknownItems),
    chars: bound("maxLength", unknownChars),
    member: (key) => {
      const properties = (node["properties"] ?? {}) as JsonObject;
      return shapeOfSchema(Object.hasOwn(properties, key) ? properties[key] : node["additionalProperties"]);
    },
    element: () => shapeOfSchema(node["items"]),
  };
}

/** A value that is one of several. */
export function eitherShape(several: readonly Shape[]): Shape {
  const shapes = [...new Set(several)];
  const [first] = shapes;
  if (first === undefined) return scalarShape(0);
  if (shapes.length === 1) return first;
  const own = {
    items: Math.max(...shapes.map((shape) => shape.items)),
    chars: Math.max(...shapes.map((shape) => shape.chars)),
  };
  return lazyShape(own, {
    member: (key) => eitherShape(shapes.map((shape) => shape.member(key))),
    element: () => eitherShape(shapes.map((shape) => shape.element())),
  });
}

/** A list of `items` values of one shape. */
export const listShape = (items: number, element: Shape): Shape => ({
  items,
  chars: 0,
  member: () => element,
  element: () => element,
});
