import type { Component } from "./cyclonedx.ts";
import { comparableId, isUnversioned, packageOf } from "./purl.ts";
import { type JsonMembers, type Statement, statementOutput } from "./statement.ts";

/** All statements about one (product, subcomponent, vulnerability). No winner is picked: `distinctStatuses` is a set. */
export interface Group {
  readonly product: string;
  readonly subcomponent: string | null;
  readonly vulnerability: string;
  readonly statements: readonly Statement[];
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const sortedSet = (texts: readonly string[]): string[] => [...new Set(texts)].sort(byText);

/** Groups in order of their key, statements in order of (document, pointer): the input's order does not matter. */
export function groupStatements(statements: readonly Statement[]): readonly Group[] {
  const groups = new Map<string, Statement[]>();
  for (const statement of statements) {
    const key = [
      comparableId(statement.product),
      statement.subcomponent === null ? "" : comparableId(statement.subcomponent),
      statement.vulnerability,
    ].join("\n");
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [statement]);
    else members.push(statement);
  }
  return [...groups].sort(([a], [b]) => byText(a, b)).map(([, members]) => groupOf(members.sort(byProvenance)));
}

function groupOf(members: readonly Statement[]): Group {
  const [first] = members;
  if (first === undefined) throw new Error("a group has a statement");
  const { product, subcomponent, vulnerability } = first;
  return {
    product: comparableId(product),
    subcomponent: subcomponent === null ? null : comparableId(subcomponent),
    vulnerability,
    statements: dedupe(members),
  };
}

/** Two files with the same bytes are one document. */
function dedupe(sorted: readonly Statement[]): readonly Statement[] {
  return sorted.filter((statement, index) => {
    const before = sorted[index - 1];
    return before === undefined || byProvenance(before, statement) !== 0;
  });
}

function byProvenance(a: Statement, b: Statement): number {
  return (
    byText(a.source.sha256, b.source.sha256) ||
    byText(a.source.pointer, b.source.pointer) ||
    byText(a.product, b.product)
  );
}

/** The components that a group speaks of: its subcomponent where it names one, else its product. */
function coveredComponents(group: Group, components: readonly Component[]): readonly Component[] {
  const target = group.subcomponent ?? group.product;
  const anyVersion = isUnversioned(target);
  return components.filter(({ purl, ref }) => {
    if (ref === target) return true;
    if (purl === null) return false;
    return anyVersion ? packageOf(purl) === target : comparableId(purl) === target;
  });
}

export function groupOutput(group: Group, components: readonly Component[] | null): JsonMembers {
  const covers =
    components === null
      ? {}
      : {
          covers: coveredComponents(group, components).map(({ purl, name, version }) => ({
            purl: purl ?? "",
            name,
            version: version ?? "",
          })),
        };
  return {
    product: group.product,
    ...(group.subcomponent === null ? {} : { subcomponent: group.subcomponent }),
    vulnerability: group.vulnerability,
    aliases: sortedSet(group.statements.flatMap(({ aliases }) => aliases)),
    distinctStatuses: sortedSet(group.statements.map(({ status }) => status)),
    statements: group.statements.map(statementOutput),
    ...covers,
  };
}
