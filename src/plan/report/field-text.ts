import { canonicalText, type Json } from "../../base/index.ts";
import { durationText, sizeText } from "../../spec/index.ts";
import { printable } from "../finding-text.ts";
import type { FieldChange } from "./field-diff.ts";

const maxValue = 100;

/** A difference on one line: `~ timeout: 30m -> 1h`, `+ steps.b: …`, `- retry: …`; times and sizes as specs write them. */
export function fieldText({ field, before, after }: FieldChange): string {
  const name = printable(field === "" ? "spec" : field);
  const text = (value: Json | undefined): string => valueText(field, value);
  if (before === undefined) return `+ ${name}: ${text(after)}`;
  if (after === undefined) return `- ${name}: ${text(before)}`;
  return `~ ${name}: ${text(before)} -> ${text(after)}`;
}

function valueText(field: string, value: Json | undefined): string {
  if (value === undefined) return "";
  if (value === null) return "none";
  if (typeof value === "number" && durations.test(field)) return durationText(value);
  if (typeof value === "number" && sizes.test(field)) return sizeText(value);
  const text = canonicalText(value);
  return printable(text.length > maxValue ? `${text.slice(0, maxValue)}… (${String(text.length)} characters)` : text);
}

// Whole paths: below `with` a `timeout` is whatever its plugin makes of it.
const step = String.raw`(steps|finally)\.[a-z0-9_]+`;
const durations = new RegExp(
  String.raw`^(timeout|${step}\.(limits\.(cpuTime|timeout)|retry\.(backoff|maxBackoff))|schedules\.[-a-z0-9]+\.(every|catchUp\.maxAge)|(perStep|perDay)\.(cpuTime|timeout)|minInterval)$`,
);
const sizes = new RegExp(
  String.raw`^(${step}\.limits\.(memory|scratch)|perStep\.(memory|scratch|output)|perDay\.artifacts)$`,
);
