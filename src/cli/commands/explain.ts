import type { Command } from "commander";
import { codeExamples, findCode, type JsonObject } from "../../base/index.ts";
import { schemas } from "../../spec/index.ts";
import type { CliContext } from "../program.ts";
import { explainField } from "../schema-field.ts";
import { usage } from "../terminal.ts";

/** `orrery explain ORY2101` (or `DAG_CYCLE`), `explain dag.spec.steps.retry`. */
export function addExplainCommand(program: Command, { terminal }: CliContext): void {
  program
    .command("explain")
    .argument("<code or field>")
    .description("explain an error code or a field of a spec")
    .action((name: string) => {
      terminal.print(explain(name));
    });
}

function explain(name: string): string {
  const found = findCode(name);
  if (found !== null) {
    const { row } = found;
    return [
      `${row.number} ${found.name}: ${row.title}`,
      "",
      `cause  ${row.cause}`,
      `fix    ${row.fix}`,
      `class ${row.class}, exit ${row.exit}, HTTP ${row.http}`,
      ...exampleLines(codeExamples[found.name]),
    ].join("\n");
  }
  const [kind = "", ...path] = name.split(".");
  const schema: JsonObject | undefined = Object.hasOwn(schemas, kind)
    ? schemas[kind as keyof typeof schemas]
    : undefined;
  if (schema === undefined) throw usage(`${name}: no code, and no field (kinds: ${Object.keys(schemas).join(", ")})`);
  return explainField({ name, schema, common: schemas.common, path });
}

const exampleLines = (example: string | undefined): readonly string[] =>
  example === undefined ? [] : ["", ...example.split("\n").map((line) => `    ${line}`)];
