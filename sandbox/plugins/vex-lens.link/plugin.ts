import type { ArtifactReference, Context, DefineTask, JsonOutput, JsonValue } from "../../sdk.ts";
import { readComponents, readCycloneDxVex } from "./cyclonedx.ts";
import { groupOutput, groupStatements } from "./group.ts";
import { readOpenVex } from "./openvex.ts";
import {
  compact,
  type JsonMembers,
  listOf,
  membersOf,
  type ReadDocument,
  type Statement,
  textOf,
  textsOf,
} from "./statement.ts";

interface Input {
  readonly documents?: readonly ArtifactReference[];
  /** Outputs of earlier link steps, to be linked together; null where one failed. */
  readonly linked?: readonly (JsonMembers | null)[];
  /** A CycloneDX SBOM: each group then lists the components that it speaks of. */
  readonly sbom?: ArtifactReference;
}

const defineTask: DefineTask = (task) => task;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Links VEX statements per product and vulnerability. Every statement stays, with its document's hash and its place in
 * it; nothing is merged, scored or decided (law 6).
 */
export default defineTask({
  async run(input: Input, ctx: Context): Promise<JsonOutput> {
    const documents: JsonMembers[] = [];
    const statements: Statement[] = [];
    for (const reference of input.documents ?? []) {
      const read = readDocument(await readJson(ctx, reference), reference.artifact);
      documents.push({
        sha256: reference.artifact,
        bytes: reference.bytes,
        statements: read.statements.length,
        ...compact({ ...read.facts }),
      });
      statements.push(...read.statements);
    }
    for (const earlier of input.linked ?? []) {
      documents.push(...listOf(earlier?.["documents"]).map((document) => compact(membersOf(document))));
      statements.push(...statementsOf(earlier ?? {}));
    }
    const components = input.sbom === undefined ? null : readComponents(await readJson(ctx, input.sbom));
    const groups = groupStatements(statements);
    ctx.log("info", "statements linked", {
      documents: documents.length,
      statements: statements.length,
      groups: groups.length,
    });
    return {
      documents: documents.sort((a, b) => ((a["sha256"] ?? "") < (b["sha256"] ?? "") ? -1 : 1)),
      groups: groups.map((group) => groupOutput(group, components)),
      statementCount: statements.length,
      ...(components === null ? {} : { componentCount: components.length }),
    };
  },
});

async function readJson(ctx: Context, reference: ArtifactReference): Promise<JsonValue> {
  const bytes = await ctx.artifacts.read(reference);
  try {
    return JSON.parse(utf8.decode(bytes)) as JsonValue;
  } catch {
    throw new Error(`not JSON in UTF-8: artifact ${reference.artifact}`);
  }
}

function readDocument(document: JsonValue, sha256: string): ReadDocument {
  const root = membersOf(document);
  if (textOf(root["@context"])?.startsWith("https://openvex.dev/ns") === true) return readOpenVex(document, sha256);
  if (root["bomFormat"] === "CycloneDX") return readCycloneDxVex(document, sha256);
  throw new Error(`neither OpenVEX nor CycloneDX: artifact ${sha256}`);
}

/** Reads the statements of an earlier output back. */
function statementsOf(output: JsonMembers): readonly Statement[] {
  return listOf(output["groups"]).flatMap((group) =>
    listOf(membersOf(group)["statements"]).map((item): Statement => {
      const members = membersOf(item);
      const source = membersOf(members["source"]);
      return {
        vulnerability: textOf(members["vulnerability"]) ?? "",
        aliases: textsOf(members["aliases"]),
        product: textOf(members["product"]) ?? "",
        subcomponent: textOf(members["subcomponent"]),
        status: textOf(members["status"]) ?? "",
        justification: textOf(members["justification"]),
        timestamp: textOf(members["timestamp"]),
        source: {
          author: textOf(source["author"]),
          documentId: textOf(source["documentId"]),
          documentVersion: textOf(source["documentVersion"]),
          sha256: textOf(source["sha256"]) ?? "",
          pointer: textOf(source["pointer"]) ?? "",
        },
      };
    }),
  );
}
