import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { schemas } from "../../../src/spec/generated/schemas.ts";

it.each(Object.entries(schemas))(
  "the schema %s is one of its draft: the decoder does not check it again",
  (_, schema) => {
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });

    expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
  },
);
