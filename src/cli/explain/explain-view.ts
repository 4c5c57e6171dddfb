import { type CodeName, codeExamples, codes } from "../../base/index.ts";
import type { FieldFacts, KindFacts } from "./field-facts.ts";
import { labelled, wrapped, wrappedTable } from "./wrapped-text.ts";

const maxShown = 8;

/** `width`: columns of the terminal. Nothing is wider but a word that cannot be broken. */
export function renderField(facts: FieldFacts, width: number): string {
  const row = (label: string, text: string): string => label.padEnd(9) + labelled(" ".repeat(9), text, width);
  const { field, file, description, type, required, limits, examples, fields, alsoAt } = facts;
  const more = alsoAt.length > maxShown ? ` and ${String(alsoAt.length - maxShown)} more (-o json)` : "";
  const nested = fields.map((member) => [
    member.name,
    member.type,
    member.required ? "(required)" : member.default === undefined ? "" : JSON.stringify(member.default),
    member.description,
  ]);
  return [
    field,
    ...(description === "" ? [] : wrapped(description, width)),
    "",
    row("type", `${type}${required ? ", required" : ""}`),
    ...(limits.length === 0 ? [] : [row("limits", limits.join(", "))]),
    ...(facts.default === undefined ? [] : [row("default", JSON.stringify(facts.default))]),
    ...examples.map((example) => row("example", JSON.stringify(example))),
    row("file", file),
    ...(alsoAt.length === 0 ? [] : [row("also at", alsoAt.slice(0, maxShown).join(", ") + more)]),
    ...(nested.length === 0 ? [] : ["", wrappedTable(["field", "type", "default", "what it is"], nested, width)]),
  ].join("\n");
}

export const renderKinds = (kinds: readonly KindFacts[], width: number): string =>
  [
    wrappedTable(
      ["kind", "file", "what it is"],
      kinds.map(({ kind, file, description }) => [kind, file, description]),
      width,
    ),
    "",
    ...wrapped(
      "orrery explain KIND.FIELD, as dag.spec.steps.retry; orrery explain CODE, as ORY2101 or DAG_CYCLE",
      width,
    ),
  ].join("\n");

export function renderCode(name: CodeName, width: number): string {
  const row = codes[name];
  const example = codeExamples[name];
  return [
    `${row.number} ${name}: ${row.title}`,
    "",
    `cause  ${labelled("cause  ", row.cause, width)}`,
    `fix    ${labelled("fix    ", row.fix, width)}`,
    `class ${row.class}, exit ${row.exit}, HTTP ${row.http}`,
    ...(example === undefined ? [] : ["", ...example.split("\n").map((line) => `    ${line}`)]),
  ].join("\n");
}
