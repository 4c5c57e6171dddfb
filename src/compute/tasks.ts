import {
  canonicalText,
  type Hex,
  type Json,
  type JsonObject,
  jsonDefect,
  NotIJson,
  parseCanonical,
} from "../base/index.ts";
import { sha256, sha256Hex } from "../base/node-digest.ts";
import { checkAoc } from "../policy/index.ts";
import {
  aocKeys,
  type DecodedDocument,
  decodeDocument,
  type Finding,
  type SpecDocument,
  specHashOf,
  valueDefects,
  type YamlSource,
} from "../spec/index.ts";

// The work itself, synchronous and pure: threads call it, unit tests too.

/** A value of a step is at most 1 MB of canonical text. */
const maxValueBytes = 1024 * 1024;

export type HashedDocument = SpecDocument & { readonly specHash: Hex };

/** `decodeDocument`'s answer with the hash of the normal form. */
export type DecodedSpec =
  | { readonly ok: true; readonly document: HashedDocument; readonly warnings: readonly Finding[] }
  | Extract<DecodedDocument, { readonly ok: false }>;

export function decodeSpec(source: YamlSource): DecodedSpec {
  const decoded = decodeDocument(source);
  if (!decoded.ok) return decoded;
  const specHash = specHashOf(decoded.document.specText, sha256);
  return { ...decoded, document: { ...decoded.document, specHash } };
}

export interface InputRequest {
  /** The resolved `with`. */
  readonly value: Json;
  readonly schema: JsonObject;
}

export type InputAnswer =
  | { readonly ok: true; readonly text: string; readonly hash: Hex }
  | { readonly ok: false; readonly code: "ERR_INPUT_SCHEMA" | "ERR_EXPR"; readonly message: string };

/** Canonical text and hash of a step's input, if it is I-JSON of at most 1 MB that fits the plugin's input schema. */
export function checkInput({ value, schema }: InputRequest): InputAnswer {
  const defect = jsonDefect(value);
  if (defect !== null) return { ok: false, code: "ERR_INPUT_SCHEMA", message: `with is no I-JSON: ${defect.reason}` };
  const text = canonicalText(value);
  if (Buffer.byteLength(text) > maxValueBytes) {
    return { ok: false, code: "ERR_INPUT_SCHEMA", message: "with is over 1 MiB: pass an artifact" };
  }
  const message = schemaMessage(schema, value);
  if (message !== null) return { ok: false, code: "ERR_INPUT_SCHEMA", message };
  return { ok: true, text, hash: sha256Hex(text) };
}

export interface OutputRequest {
  /** As the sandbox sent it: hostile. */
  readonly text: string;
  readonly schema: JsonObject;
  readonly emits: "raw" | "derived";
  readonly service: string;
  readonly maxBytes: number;
}

export type OutputAnswer =
  | { readonly ok: true; readonly value: Json; readonly hash: Hex }
  | {
      readonly ok: false;
      readonly code: "ERR_OUTPUT_NOT_IJSON" | "STEP_OUTPUT_TOO_LARGE" | "ERR_OUTPUT_SCHEMA" | "ERR_AOC_FIELD";
      readonly message: string;
    };

/**
 * Holds a step's output to the contract: JCS(parse(text)) gives the same text, then size, output schema, derived
 * fields, hash. Messages name places, never values.
 */
export function checkOutput({ text, schema, emits, service, maxBytes }: OutputRequest): OutputAnswer {
  // Size first: what is over any cap is not parsed at all.
  const bytes = Buffer.byteLength(text);
  const cap = Math.min(maxBytes, maxValueBytes);
  if (bytes > cap) {
    return {
      ok: false,
      code: "STEP_OUTPUT_TOO_LARGE",
      message: `the output has ${String(bytes)} bytes; at most ${String(cap)}`,
    };
  }
  const parsed = parseCanonical(text);
  if (parsed === null) return { ok: false, code: "ERR_OUTPUT_NOT_IJSON", message: notIJsonMessage(text) };
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, code: "ERR_OUTPUT_SCHEMA", message: "the output is no object" };
  }
  const message = schemaMessage(schema, value);
  if (message !== null) return { ok: false, code: "ERR_OUTPUT_SCHEMA", message };
  const breach = checkAoc(value, schema, { emits, service }, { keys: aocKeys });
  if (breach !== null) {
    const { pointer, key, owner } = breach;
    return { ok: false, code: "ERR_AOC_FIELD", message: `${pointer}: \`${key}\` is derived by ${owner} alone` };
  }
  return { ok: true, value, hash: sha256Hex(text) };
}

function schemaMessage(schema: JsonObject, value: Json): string | null {
  const [defect] = valueDefects(schema, value, "first");
  return defect === undefined
    ? null
    : `${defect.pointer === "" ? "/" : defect.pointer}: ${defect.keyword} of the schema`;
}

function notIJsonMessage(text: string): string {
  try {
    canonicalText(JSON.parse(text));
    return "the output's text is not canonical";
  } catch (error) {
    return error instanceof NotIJson ? `the output is ${error.message}` : "the output is no JSON";
  }
}
