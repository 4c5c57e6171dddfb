import type { Json } from "../../base/index.ts";
import { pointerTo } from "../decode/positions.ts";
import type { DagDefect, PlacedStep } from "./dag-defect.ts";

/** A template of Argo (`{{inputs.parameters.x}}`) or Airflow (`{{ ds }}`); other texts with two braces are the author's. */
const template =
  /(?<!\$)\{\{-?\s{0,9}(?:inputs|steps|tasks|workflow|item|outputs|pod|params|ds|ds_nodash|ts|var|ti|macros|dag_run|task_instance|run_id|execution_date|logical_date|data_interval_(?:start|end))(?![\w-])[^{}]{0,200}\}\}/;

/** Texts that would have been filled in elsewhere and stay as they are here. */
export function foreignTemplates({ step, pointer }: PlacedStep): readonly DagDefect[] {
  return textsOf(step.with, `${pointer}/with`).flatMap(({ text, at }): readonly DagDefect[] => {
    const found = template.exec(text);
    if (found === null) return [];
    const message = `\`${found[0]}\` is plain text here`;
    const fix = "An expression is written ${{ }}: see docs/expressions.md for its names.";
    return [{ code: "EXPR_SYNTAX", severity: "warning", pointer: at, message, fix, offset: found.index }];
  });
}

function textsOf(value: Json, at: string): readonly { readonly text: string; readonly at: string }[] {
  if (typeof value === "string") return [{ text: value, at }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => textsOf(member, pointerTo(at, key)));
}
