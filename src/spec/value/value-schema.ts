import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { fullFormats } from "ajv-formats/dist/formats.js";
import type { Json, JsonObject } from "../../base/index.ts";
import { dotted, pointerTo } from "../decode/positions.ts";
import { patternDefect } from "./safe-pattern.ts";

/** One way in which a value does not fit a schema of a spec. */
export interface ValueDefect {
  /** RFC 6901, into the value. */
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
  /** True below `anyOf` or `oneOf`, where a part that does not fit may be meant not to. */
  readonly inBranch: boolean;
}

const maxNodes = 1000;
const maxCached = 200;

class Validators {
  readonly #allErrors: boolean;
  #ajv: Ajv2020;
  #known = new Map<string, ValidateFunction>();

  constructor(allErrors: boolean) {
    this.#allErrors = allErrors;
    this.#ajv = newAjv(allErrors);
  }

  /** Compiled once per schema text; the compiler is thrown away with its cache, since it keeps what it ever compiled. */
  of(schema: JsonObject): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= maxCached) {
      this.#ajv = newAjv(this.#allErrors);
      this.#known = new Map();
    }
    const validate = this.#ajv.compile(schema);
    this.#known.set(key, validate);
    return validate;
  }
}

const validators = { all: new Validators(true), first: new Validators(false) };

function newAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors, logger: false });
  ajv.addKeyword("x-orrery-aoc");
  for (const name of ["date", "time", "date-time", "uuid", "uri", "ipv4", "ipv6"] as const)
    ajv.addFormat(name, fullFormats[name]);
  return ajv;
}

/**
 * Why a schema that fits `valueSchema` of common.schema.json cannot be used: a pattern that could hang, uniqueItems over
 * long lists, too many nodes. `pointer` leads into the schema. Null where it compiles.
 */
export function valueSchemaDefect(schema: JsonObject): { readonly pointer: string; readonly message: string } | null {
  const count = { nodes: 0 };
  const defect = nodeDefect(schema, "", count);
  if (defect !== null) return defect;
  try {
    validators.first.of(schema);
    return null;
  } catch {
    return { pointer: "", message: "the schema contradicts itself" };
  }
}

function nodeDefect(
  schema: Json,
  pointer: string,
  count: { nodes: number },
): { readonly pointer: string; readonly message: string } | null {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return null;
  const node = schema as JsonObject;
  count.nodes += 1;
  if (count.nodes > maxNodes) return { pointer, message: `more than ${String(maxNodes)} nodes` };
  const pattern = node["pattern"];
  const why = typeof pattern === "string" ? patternDefect(pattern) : null;
  if (why !== null) return { pointer: `${pointer}/pattern`, message: `the pattern is not accepted: ${why}` };
  // Comparing all pairs of a long list is quadratic.
  if (node["uniqueItems"] === true && !(Number(node["maxItems"]) <= 1000)) {
    return { pointer: `${pointer}/uniqueItems`, message: "uniqueItems needs maxItems of at most 1000" };
  }
  for (const [at, child] of childrenOf(node, pointer)) {
    const defect = nodeDefect(child, at, count);
    if (defect !== null) return defect;
  }
  return null;
}

function childrenOf(node: JsonObject, pointer: string): readonly (readonly [pointer: string, child: Json])[] {
  const single = ["items", "additionalProperties"].map((key) => [`${pointer}/${key}`, node[key] ?? null] as const);
  const listed = ["allOf", "anyOf", "oneOf"].flatMap((key) =>
    ((node[key] ?? []) as readonly Json[]).map(
      (child, index) => [`${pointer}/${key}/${String(index)}`, child] as const,
    ),
  );
  const properties = (node["properties"] ?? {}) as JsonObject;
  const named = Object.entries(properties).map(
    ([key, child]) => [pointerTo(`${pointer}/properties`, key), child] as const,
  );
  return [...single, ...listed, ...named];
}

/**
 * What of `value` does not fit `schema` (a schema that `valueSchemaDefect` accepts), in schema order: the first defect,
 * or up to 20 with `all`, which is for small values only (a long list can be wrong in every item).
 */
export function valueDefects(schema: JsonObject, value: Json, how: "first" | "all"): readonly ValueDefect[] {
  const validate = validators[how].of(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 20).map((error) => ({
    pointer: pointerOf(error),
    keyword: error.keyword,
    message: messageOf(error),
    inBranch: /\/(anyOf|oneOf)\//.test(error.schemaPath),
  }));
}

function pointerOf(error: ErrorObject): string {
  if (error.keyword !== "additionalProperties") return error.instancePath;
  return pointerTo(error.instancePath, (error.params as { additionalProperty: string }).additionalProperty);
}

function messageOf(error: ErrorObject): string {
  const at = error.instancePath === "" ? "the value" : dotted(error.instancePath);
  const params = error.params as Readonly<Record<string, unknown>>;
  if (error.keyword === "additionalProperties") return `${at} has no \`${String(params["additionalProperty"])}\``;
  if (error.keyword === "required") return `${at} lacks \`${String(params["missingProperty"])}\``;
  if (error.keyword === "enum") return `${at} must be one of ${JSON.stringify(params["allowedValues"])}`;
  return `${at} ${error.message ?? "does not fit"}`;
}
