import type { JsonValue } from "../../sdk.ts";
import { listOf, membersOf, type ReadDocument, type Statement, textOf, textsOf } from "./statement.ts";

interface Target {
  readonly product: string;
  readonly subcomponent: string | null;
}

/**
 * OpenVEX (https://github.com/openvex/spec), both the old namespace (products and vulnerabilities as strings) and
 * v0.2.0 (objects, subcomponents). A statement without products inherits nothing: it gives no row.
 */
export function readOpenVex(document: JsonValue, sha256: string): ReadDocument {
  const root = membersOf(document);
  const facts = {
    format: "openvex" as const,
    id: textOf(root["@id"]),
    version: textOf(root["version"]),
    author: textOf(root["author"]),
    timestamp: textOf(root["timestamp"]),
  };
  const statements = listOf(root["statements"]).flatMap((item, index): Statement[] => {
    const statement = membersOf(item);
    const { name, aliases } = vulnerabilityOf(statement["vulnerability"]);
    if (name === null) return [];
    const source = {
      author: facts.author,
      documentId: facts.id,
      documentVersion: facts.version,
      sha256,
      pointer: `/statements/${index}`,
    };
    return targetsOf(statement["products"]).map((target) => ({
      vulnerability: name,
      aliases,
      ...target,
      status: textOf(statement["status"]) ?? "",
      justification: textOf(statement["justification"]),
      timestamp: textOf(statement["timestamp"]) ?? facts.timestamp,
      source,
    }));
  });
  return { facts, statements };
}

function vulnerabilityOf(value: JsonValue | undefined): {
  readonly name: string | null;
  readonly aliases: readonly string[];
} {
  if (typeof value === "string") return { name: value, aliases: [] };
  const members = membersOf(value);
  return { name: textOf(members["name"]) ?? textOf(members["@id"]), aliases: textsOf(members["aliases"]) };
}

function targetsOf(products: JsonValue | undefined): readonly Target[] {
  return listOf(products).flatMap((item): Target[] => {
    const product = identifierOf(item);
    if (product === null) return [];
    const subcomponents = listOf(membersOf(item)["subcomponents"])
      .map(identifierOf)
      .filter((id) => id !== null);
    if (subcomponents.length === 0) return [{ product, subcomponent: null }];
    return subcomponents.map((subcomponent) => ({ product, subcomponent }));
  });
}

function identifierOf(item: JsonValue): string | null {
  if (typeof item === "string") return item;
  const members = membersOf(item);
  return textOf(members["@id"]) ?? textOf(membersOf(members["identifiers"])["purl"]);
}
