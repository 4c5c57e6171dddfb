import type { Command } from "commander";
import { codeExamples, codes, findCode } from "../../base/index.ts";
import { findReason, type ReasonText } from "../../plan/index.ts";
import { renderCode, renderField, renderKinds } from "../explain/explain-view.ts";
import { fieldFacts, kindFacts } from "../explain/field-facts.ts";
import { findField } from "../explain/field-path.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { nearestText } from "../query/nearest.ts";
import { usage } from "../terminal.ts";

/** `orrery explain ORY2101` (or `DAG_CYCLE`), `explain dag.spec.steps.retry`, `explain`. */
export function addExplainCommand(program: Command, { terminal }: CliContext): void {
  program
    .command("explain")
    .argument("[code or field]", "ORY2101, DAG_CYCLE, dag.spec.steps.retry; none lists the kinds")
    .description("explain an error code or a field of a spec, offline")
    .addOption(outputOption())
    .action((name: string | undefined, { output }: { readonly output: OutputFormat }) => {
      const { facts, text } = explain(name);
      terminal.print(output === "json" ? jsonText(facts) : text(terminal.columns ?? standardColumns));
    });
}

/** Of what is no terminal. */
const standardColumns = 120;

interface Explained {
  readonly facts: object;
  readonly text: (columns: number) => string;
}

function explain(name: string | undefined): Explained {
  if (name === undefined) {
    const kinds = kindFacts();
    return { facts: kinds, text: (columns) => renderKinds(kinds, columns) };
  }
  const reason = findReason(name);
  if (reason !== null) return { facts: { name, ...reason }, text: () => renderReason(name, reason) };
  const found = findCode(name) ?? codeOfReason(name);
  if (found !== null) {
    const example = codeExamples[found.name];
    const facts = { name: found.name, ...found.row, ...(example === undefined ? {} : { example }) };
    return { facts, text: (columns) => renderCode(found.name, columns) };
  }
  if (/^(ORY\d*|[A-Z][A-Z0-9_]+)$/.test(name)) throw usage(`${name} is no code${nearCode(name)}`);
  const facts = fieldFacts(findField(name));
  return { facts, text: (columns) => renderField(facts, columns) };
}

/** Reasons of a site are codes in CamelCase: `ApprovalsMissing`. */
const codeOfReason = (name: string): ReturnType<typeof findCode> =>
  /^([A-Z][a-z0-9]*)+$/.test(name) ? findCode(name.replaceAll(/(?<=.)(?=[A-Z])/g, "_")) : null;

const renderReason = (name: string, { of, means, fix }: ReasonText): string =>
  [`${name}: a reason of conditions, of ${owners[of]}`, "", means, "", `Fix: ${fix}`].join("\n");

const owners = { dag: "a DAG", tenant: "a tenant", both: "a DAG or a tenant" } as const;

function nearCode(name: string): string {
  const known = Object.keys(codes);
  const near = nearestText(
    name,
    known.map((code) => code.toLowerCase()),
  );
  return name.startsWith("ORY") ? "" : near.toUpperCase().replace("; DID YOU MEAN", "; did you mean");
}
