import type { JsonValue } from "../../sdk.ts";
import { listOf, membersOf, type ReadDocument, type Statement, textOf, textsOf } from "./statement.ts";

/** A component of an SBOM, as far as a statement can name it. */
export interface Component {
  readonly ref: string | null;
  readonly purl: string | null;
  readonly name: string;
  readonly version: string | null;
}

/** CycloneDX VEX: `vulnerabilities[].analysis` with `affects[].ref`, a bom-ref or a BOM-Link. Ratings are not read. */
export function readCycloneDxVex(document: JsonValue, sha256: string): ReadDocument {
  const root = membersOf(document);
  const metadata = membersOf(root["metadata"]);
  const facts = {
    format: "cyclonedx-vex" as const,
    id: textOf(root["serialNumber"]),
    version: textOf(root["version"]),
    author:
      textOf(membersOf(listOf(metadata["authors"])[0])["name"]) ?? textOf(membersOf(metadata["supplier"])["name"]),
    timestamp: textOf(metadata["timestamp"]),
  };
  const purls = new Map(
    readComponents(document).flatMap(({ ref, purl }) => (ref === null || purl === null ? [] : [[ref, purl] as const])),
  );
  const statements = listOf(root["vulnerabilities"]).flatMap((item, index): Statement[] => {
    const entry = membersOf(item);
    const name = textOf(entry["id"]);
    const analysis = membersOf(entry["analysis"]);
    const status = textOf(analysis["state"]);
    if (name === null || status === null) return [];
    const source = {
      author: facts.author,
      documentId: facts.id,
      documentVersion: facts.version,
      sha256,
      pointer: `/vulnerabilities/${index}`,
    };
    const aliases = listOf(entry["references"]).flatMap((reference) => textOf(membersOf(reference)["id"]) ?? []);
    return textsOf(listOf(entry["affects"]).map((affected) => membersOf(affected)["ref"] ?? null)).map((ref) => ({
      vulnerability: name,
      aliases,
      product: purls.get(ref) ?? ref,
      subcomponent: null,
      status,
      justification: textOf(analysis["justification"]),
      timestamp: textOf(analysis["lastUpdated"]) ?? textOf(analysis["firstIssued"]) ?? facts.timestamp,
      source,
    }));
  });
  return { facts, statements };
}

/** All components, nested ones and the main one included, in the document's order. */
export function readComponents(document: JsonValue): readonly Component[] {
  const root = membersOf(document);
  const main = membersOf(root["metadata"])["component"];
  const out: Component[] = [];
  const open: JsonValue[] = [...(main === undefined ? [] : [main]), ...listOf(root["components"])].reverse();
  while (open.length > 0) {
    const component = membersOf(open.pop());
    const name = textOf(component["name"]);
    if (name !== null)
      out.push({
        ref: textOf(component["bom-ref"]),
        purl: textOf(component["purl"]),
        name,
        version: textOf(component["version"]),
      });
    open.push(...[...listOf(component["components"])].reverse());
  }
  return out;
}
