import { canonicalText, type Json } from "../../base/index.ts";
import { durationText, sizeText } from "../../spec/index.ts";
import { printable } from "../finding-text.ts";
import type { FieldChange } from "./field-diff.ts";

const maxValue = 100;
const shownBefore = 20;

/** A difference on one line: `~ timeout: 30m -> 1h`, `+ steps.b: …`, `- retry: …`; times and sizes as specs write them. */
export function fieldText({ field, before, after }: FieldChange): string {
  const name = printable(field === "" ? "spec" : field);
  if (before === undefined) return `+ ${name}: ${cut(valueText(field, after), 0)}`;
  if (after === undefined) return `- ${name}: ${cut(valueText(field, before), 0)}`;
  const [left, right] = [valueText(field, before), valueText(field, after)];
  const from = Math.max(left.length, right.length) > maxValue ? commonStart(left, right) : 0;
  return `~ ${name}: ${cut(left, from)} -> ${cut(right, from)}`;
}

/** Where two long texts begin to differ, with a little of what is before. */
function commonStart(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return Math.max(0, at - shownBefore);
}

function cut(text: string, from: number): string {
  const rest = text.slice(from);
  const head = from === 0 ? "" : "…";
  const tail = rest.length > maxValue ? `… (${String(text.length)} characters)` : "";
  return printable(`${head}${rest.slice(0, maxValue)}${tail}`);
}

function valueText(field: string, value: Json | undefined): string {
  if (value === undefined) return "";
  if (value === null) return "none";
  if (typeof value === "number" && durations.test(field)) return durationText(value);
  if (typeof value === "number" && sizes.test(field)) return sizeText(value);
  return canonicalText(value);
}

// Whole paths: below `with` a `timeout` is whatever its plugin makes of it.
const step = String.raw`(steps|finally)\.[a-z0-9_]+`;
const durations = new RegExp(
  String.raw`^(timeout|${step}\.(limits\.(cpuTime|timeout)|retry\.(backoff|maxBackoff))|schedules\.[-a-z0-9]+\.(every|catchUp\.maxAge)|(perStep|perDay)\.(cpuTime|timeout)|minInterval)$`,
);
const sizes = new RegExp(
  String.raw`^(${step}\.limits\.(memory|scratch)|perStep\.(memory|scratch|output)|perDay\.artifacts)$`,
);
