import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { Json, JsonObject } from "../base/index.ts";

/** Why a value does not fit schemas/record.schema.json, or null where it does. */
export interface RecordCheck {
  record(record: JsonObject): string | null;
  /** One line of a file under `steps/`. */
  step(step: Json): string | null;
}

const kinds = ["genesis", "run", "reconcile", "control", "skip", "denial"] as const;

/** Compiles the schema once; `schema` is the document of schemas/record.schema.json. */
export function createRecordCheck(schema: JsonObject): RecordCheck {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: false, validateFormats: false });
  ajv.addSchema(schema);
  const part = (name: string): ValidateFunction => {
    const validate = ajv.getSchema(`record.schema.json#/$defs/${name}`);
    if (validate === undefined) throw new TypeError(`record.schema.json has no ${name}`);
    return validate;
  };
  const byKind = new Map<unknown, ValidateFunction>(kinds.map((kind) => [kind, part(kind)]));
  const step = part("step");
  return {
    record: (record) => {
      const validate = byKind.get(record["kind"]);
      return validate === undefined ? "its kind is unknown" : defectOf(validate, record);
    },
    step: (value) => defectOf(step, value),
  };
}

function defectOf(validate: ValidateFunction, value: unknown): string | null {
  if (validate(value)) return null;
  const [error] = (validate.errors ?? []) as readonly ErrorObject[];
  return error === undefined ? "it does not fit" : `${error.instancePath || "/"} ${error.message ?? "does not fit"}`;
}
