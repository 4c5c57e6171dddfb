import type { Json, JsonObject } from "../base/index.ts";
import { pointerTo } from "../spec/index.ts";

/** The closed list of derived fields (schemas/aoc.json): key -> owning service. */
export interface AocList {
  readonly keys: Readonly<Record<string, string>>;
}

/** What a plugin says of itself. */
export interface AocEmitter {
  readonly emits: "raw" | "derived";
  readonly service: string;
}

export interface AocBreach {
  /** RFC 6901, into the output. */
  readonly pointer: string;
  /** The key as it stands there. */
  readonly key: string;
  readonly owner: string;
}

/**
 * The first derived field of an output (in document order) that its plugin does not own, or null. A key of the list
 * needs `emits: derived` and the key's own service. What stands under a schema node marked `x-orrery-aoc: source` (a
 * third party's document, verbatim) is not looked into.
 */
export function checkAoc(value: Json, schema: JsonObject, emitter: AocEmitter, list: AocList): AocBreach | null {
  const owners = new Map(Object.entries(list.keys).map(([key, owner]) => [plainKey(key), owner]));
  const forbidden = (key: string): string | null => {
    const owner = owners.get(plainKey(key));
    if (owner === undefined || (emitter.emits === "derived" && emitter.service === owner)) return null;
    return owner;
  };
  return breachIn(value, { schemas: [schema], root: schema, pointer: "" }, forbidden);
}

// A list that knew only one spelling would be walked around by the next: case, `_`, `-` and look-alike widths go.
const plainKey = (key: string): string => key.normalize("NFKC").replaceAll(/[-_]/g, "").toLowerCase();

interface Spot {
  /** The schema nodes of this place; see `nodesOf`. */
  readonly schemas: readonly JsonObject[];
  readonly root: JsonObject;
  readonly pointer: string;
}

type Forbidden = (key: string) => string | null;

function breachIn(value: Json, spot: Spot, forbidden: Forbidden): AocBreach | null {
  if (value === null || typeof value !== "object") return null;
  const nodes = nodesOf(spot.schemas, spot.root);
  if (nodes.some((node) => node["x-orrery-aoc"] === "source")) return null;
  return isList(value) ? breachInList(value, nodes, spot, forbidden) : breachInObject(value, nodes, spot, forbidden);
}

function breachInList(
  items: readonly Json[],
  nodes: readonly JsonObject[],
  spot: Spot,
  forbidden: Forbidden,
): AocBreach | null {
  for (const [i, item] of items.entries()) {
    const schemas = nodes.flatMap((node) => {
      const tuple = node["prefixItems"];
      const placed = isList(tuple) && i < tuple.length ? tuple[i] : node["items"];
      return isSchema(placed) ? [placed] : [];
    });
    const breach = breachIn(item, { ...spot, schemas, pointer: pointerTo(spot.pointer, i) }, forbidden);
    if (breach !== null) return breach;
  }
  return null;
}

function breachInObject(
  members: JsonObject,
  nodes: readonly JsonObject[],
  spot: Spot,
  forbidden: Forbidden,
): AocBreach | null {
  for (const [key, member] of Object.entries(members)) {
    const pointer = pointerTo(spot.pointer, key);
    const owner = forbidden(key);
    if (owner !== null) return { pointer, key, owner };
    const schemas = nodes.flatMap((node) => memberSchemas(node, key));
    const breach = breachIn(member, { ...spot, schemas, pointer }, forbidden);
    if (breach !== null) return breach;
  }
  return null;
}

function memberSchemas(node: JsonObject, key: string): readonly JsonObject[] {
  const properties = node["properties"];
  if (isSchema(properties) && Object.hasOwn(properties, key)) {
    const own = properties[key];
    return isSchema(own) ? [own] : [];
  }
  const rest = node["additionalProperties"];
  return isSchema(rest) ? [rest] : [];
}

// An alternative that the value does not take could carry a mark that the value then profits from: only what applies
// whatever the value is (the node itself, $ref, allOf) counts.
function nodesOf(schemas: readonly JsonObject[], root: JsonObject): readonly JsonObject[] {
  const nodes = new Set<JsonObject>();
  const open = [...schemas];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    const target = typeof node["$ref"] === "string" ? resolve(node["$ref"], root) : null;
    if (target !== null) open.push(target);
    const all = node["allOf"];
    if (isList(all)) open.push(...all.filter(isSchema));
  }
  return [...nodes];
}

// Only references into the same document: a plugin's schema has no others.
function resolve(ref: string, root: JsonObject): JsonObject | null {
  if (!ref.startsWith("#")) return null;
  let at: Json | undefined = root;
  for (const segment of ref.slice(1).split("/").slice(1)) {
    const key = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isList(at)) at = at[Number(key)];
    else at = isSchema(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return isSchema(at) ? at : null;
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const isSchema = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !isList(value);
