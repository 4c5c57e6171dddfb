import { type CodeName, codeExamples, codes } from "../../base/index.ts";
import { renderTable } from "../terminal.ts";
import type { FieldFacts, KindFacts } from "./field-facts.ts";

const maxShown = 8;

export function renderField(facts: FieldFacts): string {
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
    ...(description === "" ? [] : [description]),
    "",
    `type     ${type}${required ? ", required" : ""}`,
    ...(limits.length === 0 ? [] : [`limits   ${limits.join(", ")}`]),
    ...(facts.default === undefined ? [] : [`default  ${JSON.stringify(facts.default)}`]),
    ...examples.map((example) => `example  ${JSON.stringify(example)}`),
    `file     ${file}`,
    ...(alsoAt.length === 0 ? [] : [`also at  ${alsoAt.slice(0, maxShown).join(", ")}${more}`]),
    ...(nested.length === 0 ? [] : ["", renderTable(["field", "type", "default", "what it is"], nested)]),
  ].join("\n");
}

export const renderKinds = (kinds: readonly KindFacts[]): string =>
  [
    renderTable(
      ["kind", "file", "what it is"],
      kinds.map(({ kind, file, description }) => [kind, file, description]),
    ),
    "",
    "orrery explain KIND.FIELD, as dag.spec.steps.retry; orrery explain CODE, as ORY2101 or DAG_CYCLE",
  ].join("\n");

export function renderCode(name: CodeName): string {
  const row = codes[name];
  const example = codeExamples[name];
  return [
    `${row.number} ${name}: ${row.title}`,
    "",
    `cause  ${row.cause}`,
    `fix    ${row.fix}`,
    `class ${row.class}, exit ${row.exit}, HTTP ${row.http}`,
    ...(example === undefined ? [] : ["", ...example.split("\n").map((line) => `    ${line}`)]),
  ].join("\n");
}
