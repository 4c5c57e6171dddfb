// docs/expressions.md: every example is a row of test/vectors/expressions.json, which test/unit/spec/expressions.test.ts runs.
import { readFileSync } from "node:fs";
import type { Json, JsonObject } from "../src/base/index.ts";
import { expressionFunctionNames } from "../src/spec/index.ts";

interface Vectors {
  readonly scope: JsonObject;
  readonly gives: readonly { readonly what: string; readonly template: Json; readonly value: Json }[];
  readonly fails: readonly { readonly what: string; readonly template: Json; readonly says: string }[];
  readonly kinds: readonly { readonly kind: string; readonly template: Json; readonly accepted: boolean }[];
}

/** The page; `table` writes a Markdown table. */
export function expressionsPage(
  banner: string,
  table: (header: readonly string[], rows: readonly (readonly string[])[]) => string,
): string {
  const vectors = JSON.parse(
    readFileSync(new URL("../test/vectors/expressions.json", import.meta.url), "utf8"),
  ) as Vectors;
  const gives = vectors.gives.map(({ what, template, value }) => [what, code(template), code(value)]);
  const fails = vectors.fails.map(({ what, template }) => [what, code(template)]);
  const kinds = vectors.kinds.map(({ kind, template, accepted }) => [kind, code(template), accepted ? "yes" : "no"]);
  return `${banner}# Expressions

\`\${{ }}\` in a spec holds a CEL expression. Every row here is a test.

## Where they stand

| place | what it must give | names |
|---|---|---|
| \`with\` of a step, at any depth | what the plugin's input schema takes | \`inputs\`, \`steps\`, \`run\`, \`slot\`; with \`forEach\` its item and \`index\` |
| \`when\` | true or false: one whole expression | \`inputs\`, \`steps\`, \`run\`, \`slot\` |
| \`forEach.in\` | a list: one whole expression, or a list written out whose texts may hold some | \`inputs\`, \`steps\`, \`run\`, \`slot\` |
| \`inputs\` of a schedule | what the DAG's inputs take | \`slot\` |

A text that is one expression keeps its type. Text around an expression makes a text: a text goes in as it is, anything
else as canonical JSON. Keys are never expressions. \`steps.X\` is read as \`steps.X.outputs\` or \`steps.X.status\`, of a
step that must have ended before: lint names every other one. \`finally\` sees every step, and \`run.status\`.
A step that failed, was skipped or never ran has no \`outputs\`: ask \`has(steps.X.outputs)\`.
What \`status\` and \`when\` do to a step stands in [conditions.md](conditions.md).

## Types

An integer of JSON is a CEL int, any other number a double; an int becomes a JSON number again. \`1 + 1.5\` does not fit:
convert with \`int\` or \`double\`. Lint checks types against the plugins' output schemas and the inputs' schema, and the
result against the plugin's input schema. Times, durations, bytes and types are no JSON: make a time a text with \`string\`.
\`secrets\` is no name here: the value would enter hashes and records.

## Cost

An expression has at most 500 nodes, 32 levels and 8,192 characters. Loops may take 100,000 turns: a macro within a macro
multiplies. Lint counts with the schemas' \`maxItems\` (1,000 where there is none) and \`maxLength\`, the worker again with
the real lists. A text is at most 1 MiB. What would cost more fails with \`EXPR_COST\` before it begins. \`matches\` could
run for ever, so it is not there: \`glob\`, \`startsWith\`, \`endsWith\`, \`contains\`.

## Functions

${expressionFunctionNames.map((name) => `\`${name}\``).join(", ")}; operators and macros of CEL, \`cel.bind(name, value, body)\`.
Ours: \`text.glob(pattern)\` (\`*\`, \`?\`, \`**\` as in \`files\`), \`text.replace(from, to)\` (all, no pattern),
\`list.sort()\` (texts by UTF-16 units, or numbers), \`string(time)\`.

## Examples

With these values:

\`\`\`
${Object.entries(vectors.scope)
  .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  .join("\n")}
\`\`\`

${table(["what", "written", "gives"], gives)}

## What fails

${table(["what", "written"], fails)}

## Conditions and lists

${table(["as", "written", "accepted"], kinds)}
`;
}

/** Within a cell; two backquotes where the text holds one. */
function code(value: Json): string {
  const text = typeof value === "string" && value.includes("${{") ? value : JSON.stringify(value);
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
