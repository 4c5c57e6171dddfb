import { hexDigestWith, type Json, type JsonObject, type Sha256, type UtcText } from "../../base/index.ts";
import { recordLine } from "../record-line.ts";
import type { RecordCheck } from "../record-schema.ts";
import { maxLineBytes } from "../seal-batch.ts";
import { textMember, textOf } from "./segment-line.ts";
import type { PlacedLine } from "./tenant-chain.ts";

export interface RecordRules {
  readonly site: string;
  readonly timestamp: UtcText | null;
  readonly check: RecordCheck;
  readonly sha256: Sha256;
  /** Takes the file under `steps/` that this run's list was moved to, once; null where there is none. */
  readonly stepFile: (line: PlacedLine, runId: string) => StepFile | null;
}

export interface StepFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export type RecordDefect =
  | { readonly about: "record"; readonly why: string }
  | { readonly about: "steps"; readonly path: string; readonly why: string };

/** What is wrong with one line taken alone, or null. */
export function recordDefect(line: PlacedLine, rules: RecordRules): RecordDefect | null {
  const { record } = line;
  if (record === null) return { about: "record", why: "the line is no canonical JSON object" };
  const why = rules.check.record(record) ?? placeDefect(record, line, rules);
  return why === null ? stepsDefect(record, line, rules) : { about: "record", why };
}

function placeDefect(record: JsonObject, line: PlacedLine, rules: RecordRules): string | null {
  const expected: readonly (readonly [string, Json])[] = [
    ["site", rules.site],
    ["tenant", line.tenant],
    ["seq", line.seq],
    ["timestamp", rules.timestamp],
  ];
  for (const [name, value] of expected) {
    if (record[name] !== value) return `its ${name} is ${JSON.stringify(record[name])}, not ${JSON.stringify(value)}`;
  }
  const horizon = textMember(record, "horizon");
  return horizon !== null && rules.timestamp !== null && horizon > rules.timestamp
    ? "its horizon is after its timestamp"
    : null;
}

/** `stepsHash` binds the list, wherever it stands. */
function stepsDefect(record: JsonObject, line: PlacedLine, rules: RecordRules): RecordDefect | null {
  if (record["kind"] !== "run") return null;
  const digest = hexDigestWith(rules.sha256);
  const inline = record["steps"];
  if (inline !== undefined) {
    if (line.bytes.length > maxLineBytes) return { about: "record", why: "longer than 256 KiB with its steps inside" };
    return digest(stepsText(line)) === record["stepsHash"]
      ? null
      : { about: "record", why: "its steps do not match stepsHash" };
  }
  const file = rules.stepFile(line, textMember(record, "runId") ?? "");
  if (file === null) return { about: "record", why: "its steps stand neither in it nor in a file of the same commit" };
  const text = textOf(file.bytes) ?? "";
  const rows = text.replace(/\n$/, "").split("\n");
  const why =
    rows.map((row) => stepRowDefect(row, rules.check)).find((defect) => defect !== null) ??
    (text.endsWith("\n") && digest(`[${rows.join(",")}]`) === record["stepsHash"]
      ? null
      : "the list does not match stepsHash");
  return why === null ? null : { about: "steps", path: file.path, why };
}

/**
 * The list as it is spelled in the line: canonical there, so nothing is written out again. `stepsHash` follows `steps` in
 * key order, no other member of the schema has these names, and a quote inside a string is escaped.
 */
function stepsText(line: PlacedLine): string {
  const text = line.text ?? "";
  return text.slice(text.indexOf(',"steps":') + 9, text.lastIndexOf(',"stepsHash":'));
}

function stepRowDefect(row: string, check: RecordCheck): string | null {
  const step = recordLine(row);
  return step === null ? "a step is no canonical JSON object" : check.step(step);
}
