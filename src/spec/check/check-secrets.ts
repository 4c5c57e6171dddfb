import type { Json } from "../../base/index.ts";
import { lastSegment, pointerTo } from "../decode/positions.ts";
import type { DagSpec } from "../normal/dag-spec.ts";
import type { DagDefect, PlacedStep } from "./dag-defect.ts";
import { knownSecret, likelySecret, type SecretShape } from "./secret-shapes.ts";

/** Texts of a DAG that look like secrets: a known shape is an error, a likely one a warning. Messages never hold them. */
export function checkSecrets(dag: DagSpec, steps: readonly PlacedStep[]): readonly DagDefect[] {
  const texts = [
    ...steps.flatMap(({ step, pointer }) => [
      ...textsOf(step.with, `${pointer}/with`),
      ...textsOf(step.code, `${pointer}/code`),
      ...textsOf(typeof step.forEach?.in === "object" ? step.forEach.in : null, `${pointer}/forEach/in`),
    ]),
    ...dag.schedules.flatMap(({ inputs }, index) => textsOf(inputs, `/spec/schedules/${String(index)}/inputs`)),
    ...Object.entries(dag.inputDefaults).flatMap(([name, value]) =>
      textsOf(value, `${pointerTo("/spec/inputs", name)}/default`),
    ),
    ...textsOf(dag.rationale, "/spec/rationale"),
  ];
  return texts.flatMap(({ text, pointer }) => {
    // Source text of a program is full of long words.
    const shape =
      knownSecret(text) ??
      (pointer.endsWith("/code") ? null : likelySecret(text, lastSegment(pointer.replace(/\/default$/, ""))));
    return shape === null ? [] : [defectOf(shape, pointer)];
  });
}

const defectOf = ({ what, sure, offset }: SecretShape, pointer: string): DagDefect => ({
  ...{ code: "SECRET_IN_SPEC", severity: sure === "known" ? "error" : "warning", pointer },
  message: sure === "known" ? `${what} stands in the repository` : `${what} looks like a secret`,
  fix:
    sure === "known"
      ? "Withdraw it where it is valid, then name it under `secrets`: it stays in the history."
      : "If it is one, withdraw it and name it under `secrets`; if not, leave it.",
  ...(sure === "known" ? { offset } : {}),
});

function textsOf(value: Json, pointer: string): readonly { readonly text: string; readonly pointer: string }[] {
  if (typeof value === "string") return [{ text: value, pointer }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => textsOf(member, pointerTo(pointer, key)));
}
