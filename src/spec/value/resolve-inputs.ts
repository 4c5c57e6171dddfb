import type { JsonObject } from "../../base/index.ts";
import type { DagSpec } from "../normal/dag-spec.ts";
import { valueDefects } from "./value-schema.ts";

export type ResolvedInputs =
  | { readonly ok: true; readonly inputs: JsonObject }
  | { readonly ok: false; readonly findings: readonly { readonly pointer: string; readonly message: string }[] };

/** Above this many characters the first wrong input is reported alone: a long list can be wrong in every item. */
const allBelowChars = 64 * 1024;

/** The inputs of a run: defaults filled in, then checked against the DAG's schema. `given` is a client's or a schedule's. */
export function resolveInputs(dag: Pick<DagSpec, "inputsSchema" | "inputDefaults">, given: JsonObject): ResolvedInputs {
  const inputs: JsonObject = { ...dag.inputDefaults, ...given };
  const how = JSON.stringify(inputs).length <= allBelowChars ? "all" : "first";
  const defects = valueDefects(dag.inputsSchema, inputs, how);
  if (defects.length === 0) return { ok: true, inputs };
  return { ok: false, findings: defects.map(({ pointer, message }) => ({ pointer, message })) };
}
