import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { CodeName, Json, JsonObject } from "../../base/index.ts";
import { type SchemaName, schemas } from "../generated/schemas.ts";
import { adviceFor } from "./advice.ts";
import { closest } from "./closest.ts";
import type { Finding } from "./finding.ts";
import { nearMeasure, unitsFor } from "./near-measure.ts";
import { dotted, lastSegment, type Positions, pointerTo, positionOf } from "./positions.ts";

export interface PlacedValue {
  readonly path: string;
  readonly value: Json;
  readonly positions: Positions;
}

const maxFindings = 50;
let compiled: { readonly ajv: Ajv2020 } | null = null;

/** Compiled at first use: 8 schemas cost about 40 ms that `orrery --help` should not pay. */
function validatorOf(name: SchemaName): ValidateFunction {
  if (compiled === null) {
    const ajv = new Ajv2020({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allErrors: true,
      verbose: true,
      logger: false,
      // Our own, checked against their draft by a test: here that took longer than to compile what is asked for.
      validateSchema: false,
    });
    for (const schema of Object.values(schemas)) ajv.addSchema(schema);
    compiled = { ajv };
  }
  const validate = compiled.ajv.getSchema(`${name}.schema.json`);
  if (validate === undefined) throw new TypeError(`no schema ${name}`);
  return validate as ValidateFunction;
}

/** What of a decoded document does not fit its schema, by place; empty where all fits. */
export function schemaFindings(name: SchemaName, document: PlacedValue): readonly Finding[] {
  const validate = validatorOf(name);
  if (validate(document.value)) return [];
  const findings: Finding[] = [];
  const named = new Set<string>();
  for (const error of validate.errors ?? []) {
    const finding = findingOf(error, document);
    // One value breaks one rule at a time: a wrong type also fails the pattern.
    if (finding === null) continue;
    // What is missing has its parent's place: each of two keys is named.
    const rule = finding.code === "SPEC_MISSING_KEY" ? finding.message : finding.code;
    if (named.has(`${finding.pointer} ${rule}`)) continue;
    named.add(`${finding.pointer} ${rule}`);
    findings.push(finding);
    if (findings.length >= maxFindings) break;
  }
  return sortFindings(findings);
}

/** By place, then code, so that two runs print the same. */
export const sortFindings = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort((a, b) => byText(a.path, b.path) || a.line - b.line || a.col - b.col || byText(a.code, b.code));

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Said {
  readonly code: CodeName;
  readonly pointer: string;
  readonly what: "value" | "key";
  readonly message: string;
  readonly fix: string;
}

function findingOf(error: ErrorObject, document: PlacedValue): Finding | null {
  const said = sayError(error, document.value);
  if (said === null) return null;
  const { what, ...rest } = said;
  const place = positionOf(document.positions, said.pointer, what);
  return { severity: "error", path: document.path, ...place, ...rest };
}

function sayError(error: ErrorObject, root: Json): Said | null {
  const at = error.instancePath;
  if (error.keyword === "if" || error.keyword === "propertyNames") return null;
  if (error.propertyName !== undefined) return sayKey(error, pointerTo(at, error.propertyName), error.propertyName);
  if (error.keyword === "additionalProperties") {
    const { additionalProperty: key } = error.params as { additionalProperty: string };
    const known = Object.keys((error.parentSchema?.["properties"] ?? {}) as object);
    const fix = at === "" && belongsToSpec(key, root) ? "Put it under `spec`." : adviceFor(key, known, at);
    return {
      code: "SPEC_UNKNOWN_KEY",
      pointer: pointerTo(at, key),
      what: "key",
      message: `unknown key \`${key}\` in ${dotted(at)}`,
      fix,
    };
  }
  if (error.keyword === "required") {
    const { missingProperty: key } = error.params as { missingProperty: string };
    const fix = `Add \`${key}:\`${exampleOf(propertySchema(error.parentSchema, key))}.`;
    return { code: "SPEC_MISSING_KEY", pointer: at, what: "key", message: `${dotted(at)} has no \`${key}\``, fix };
  }
  if (error.keyword === "uniqueItems") {
    const { i, j } = error.params as { readonly i: number; readonly j: number };
    const message = `${dotted(at)} names the same twice`;
    return { code: "SPEC_TYPE", pointer: pointerTo(at, Math.max(i, j)), what: "value", message, fix: "Remove one." };
  }
  // A block collection begins on its first child's line and what is empty has no token: the key names both better.
  const what = typeof error.data === "object" ? "key" : "value";
  return { code: "SPEC_TYPE", pointer: at, what, ...sayValue(error, at) };
}

const belongsToSpec = (key: string, root: Json): boolean => {
  const kind = typeof root === "object" && root !== null ? (root as JsonObject)["kind"] : null;
  if (typeof kind !== "string" || !Object.hasOwn(schemas, kind.toLowerCase())) return false;
  const document = schemas[kind.toLowerCase() as SchemaName];
  const spec = propertySchema(document, "spec");
  return Object.hasOwn((spec?.["properties"] ?? {}) as object, key);
};

function propertySchema(schema: object | undefined, key: string): JsonObject | undefined {
  const properties = ((schema as JsonObject | undefined)?.["properties"] ?? {}) as JsonObject;
  const found = Object.hasOwn(properties, key) ? (properties[key] as JsonObject) : undefined;
  const ref = found?.["$ref"];
  if (typeof ref !== "string" || !ref.startsWith("common.schema.json#/$defs/")) return found;
  const shared = (schemas.common["$defs"] as JsonObject)[lastSegment(ref)] as JsonObject;
  return { ...shared, ...found };
}

function sayKey(error: ErrorObject, pointer: string, key: string): Said {
  const name = key.replaceAll("-", "_");
  if (name !== key && /^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    const message = `"${clip(key)}" holds a hyphen, which is a subtraction in an expression`;
    return { code: "SPEC_TYPE", pointer, what: "key", message, fix: `Write ${name}, here and where it is named.` };
  }
  const description = String(error.parentSchema?.["description"] ?? error.message ?? "");
  return { code: "SPEC_TYPE", pointer, what: "key", message: `"${clip(key)}" is no name here`, fix: description };
}

function sayValue(error: ErrorObject, at: string): { readonly message: string; readonly fix: string } {
  const value = error.data as Json;
  const schema = (error.parentSchema ?? {}) as JsonObject;
  const title = spaced(typeof schema["title"] === "string" ? schema["title"] : lastSegment(at));
  const like = exampleOf(schema) === "" ? "Correct the value." : `Write${exampleOf(schema)}.`;
  switch (error.keyword) {
    case "type":
      return sayType(value, error, at, like);
    case "enum":
      return sayChoice(value, (error.params as { allowedValues: readonly Json[] }).allowedValues, at);
    case "const":
      return sayChoice(value, [(error.params as { allowedValue: Json }).allowedValue], at);
    case "pattern": {
      const near = typeof value === "string" ? nearMeasure(value, schema["title"]) : null;
      const description = typeof schema["description"] === "string" ? `: ${schema["description"]}` : ".";
      return {
        message: `"${clip(exampleText(value))}" is no ${title}${description.replace(/\.$/, "")}`,
        fix: near ?? like,
      };
    }
    default:
      return { message: `${dotted(at)} ${error.message ?? "does not fit"}`, fix: like };
  }
}

function sayType(
  value: Json,
  error: ErrorObject,
  at: string,
  like: string,
): { readonly message: string; readonly fix: string } {
  const types = [(error.params as { type: string | readonly string[] }).type].flat();
  const wanted = types.map((type) => typeWords[type] ?? type).join(" or ");
  if (value === null) return { message: `${dotted(at)} is empty`, fix: like };
  if (Array.isArray(value) && /^\/spec\/(steps|finally)$/.test(at)) {
    const fix = "Write each by its name: `collect: { uses: core.files@1.0.0 }`.";
    return { message: `${dotted(at)} is a mapping of steps by name, not a list`, fix };
  }
  const title = (error.parentSchema as JsonObject | undefined)?.["title"];
  const units = typeof value === "number" ? unitsFor(value, title) : null;
  if (units !== null) return { message: `${exampleText(value)} has no unit`, fix: units };
  if (title === "Expression" && typeof value === "boolean")
    return {
      message: `${dotted(at)} must be an expression`,
      fix: `Write "\${{ ${String(value)} }}", or leave it out.`,
    };
  if (types.join() === "string" && typeof value !== "object") {
    return {
      message: `${dotted(at)} must be a text, not the ${typeof value} ${String(value)}`,
      fix: `Quote it: "${String(value)}".`,
    };
  }
  return { message: `${dotted(at)} must be ${wanted}, not ${kindOf(value)}`, fix: like };
}

function sayChoice(
  value: Json,
  allowed: readonly Json[],
  at: string,
): { readonly message: string; readonly fix: string } {
  const words = allowed.map((word) => (typeof word === "string" ? word : JSON.stringify(word)));
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const known = text.toLowerCase();
  const close = Object.hasOwn(typeNames, known) ? (typeNames[known] ?? null) : closest(text, words);
  const fix =
    close === null || !words.includes(close)
      ? `Write ${words.length === 1 ? "" : "one of "}${words.join(", ")}.`
      : `Did you mean ${close}?`;
  return { message: `${dotted(at)} must be ${words.join(" | ")}, not ${clip(text)}`, fix };
}

/** What people call the types of JSON Schema. */
const typeWords: Readonly<Record<string, string>> = { object: "a mapping", array: "a list", string: "a text" };
const typeNames: Readonly<Record<string, string>> = {
  ...{ list: "array", seq: "array", sequence: "array", map: "object", dict: "object", mapping: "object" },
  ...{
    int: "integer",
    long: "integer",
    bool: "boolean",
    str: "string",
    text: "string",
    choice: "string",
    enum: "string",
  },
  ...{ float: "number", double: "number", decimal: "number", datetime: "string" },
};

const kindOf = (value: Json): string =>
  Array.isArray(value) ? "a list" : typeof value === "object" ? "a mapping" : `a ${typeof value}`;

const spaced = (title: string): string =>
  title.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();

function exampleOf(schema: JsonObject | undefined): string {
  const examples = schema?.["examples"] ?? (schema?.["const"] === undefined ? [] : [schema["const"]]);
  const shown = Array.isArray(examples) ? (examples as readonly Json[]).map(exampleText) : [];
  return shown.length === 0 ? "" : ` ${shown.join(" or ")}`;
}

const exampleText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

export const clip = (text: string, max = 60): string => (text.length <= max ? text : `${text.slice(0, max)}…`);
