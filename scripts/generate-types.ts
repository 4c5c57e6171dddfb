// Writes src/spec/generated/ from schemas/: documents.ts (types of the documents as people write them) and schemas.ts
// (the schemas themselves, so that floor 1 reads no file). `--check` writes nothing and exits 1 where they drifted.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

type Node = null | boolean | number | string | Node[] | { [key: string]: Node };

const kinds = ["repository", "site", "tenant", "quota", "allowlist", "slo", "dag", "plugin", "config"] as const;
const schemasDir = new URL("../schemas/", import.meta.url);
const generatedDir = new URL("../src/spec/generated/", import.meta.url);
const banner = "// Generated from schemas/ by scripts/generate-types.ts; do not edit.\n";

const pascal = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const textOf = (node: Node | undefined): string => (typeof node === "string" ? node : "");
const isObject = (node: Node | undefined): node is { [key: string]: Node } =>
  typeof node === "object" && node !== null && !Array.isArray(node);

async function readSchema(name: string): Promise<{ [key: string]: Node }> {
  return JSON.parse(await readFile(new URL(`${name}.schema.json`, schemasDir), "utf8")) as { [key: string]: Node };
}

/** Rewrites `common.schema.json#/$defs/x` and `#/$defs/x` to the components they become. */
function hoistRefs(node: Node): Node {
  if (Array.isArray(node)) return node.map(hoistRefs);
  if (!isObject(node)) return node;
  const entries = Object.entries(node).filter(([key]) => key !== "$defs" && key !== "$id" && key !== "$schema");
  return Object.fromEntries(
    entries.map(([key, value]) => {
      if (key !== "$ref" || typeof value !== "string") return [key, hoistRefs(value)];
      return [key, `#/components/schemas/${pascal(value.slice(value.lastIndexOf("/") + 1))}`];
    }),
  );
}

function componentsOf(schemas: readonly { [key: string]: Node }[]): Record<string, Node> {
  const components: Record<string, Node> = {};
  const add = (name: string, schema: Node): void => {
    if (name in components) throw new Error(`two schemas are called ${name}`);
    components[name] = hoistRefs(schema);
  };
  for (const schema of schemas) {
    if (schema["title"] !== "Common") add(textOf(schema["title"]), schema);
    const defs = schema["$defs"];
    if (isObject(defs)) for (const [name, def] of Object.entries(defs)) add(pascal(name), def);
  }
  return components;
}

async function renderDocuments(schemas: readonly { [key: string]: Node }[]): Promise<string> {
  const document = {
    openapi: "3.1.0",
    info: { title: "Orrery documents", version: "1" },
    paths: {},
    components: { schemas: componentsOf(schemas) },
  };
  const ast = await openapiTS(JSON.stringify(document), {
    defaultNonNullable: false,
    alphabetize: true,
    immutable: true,
  });
  return banner + astToString(ast);
}

async function renderSchemas(schemas: readonly { [key: string]: Node }[]): Promise<string> {
  const aoc = JSON.parse(await readFile(new URL("aoc.json", schemasDir), "utf8")) as { keys: Record<string, string> };
  const names = kinds.map((kind) => JSON.stringify(kind)).join(" | ");
  const byName = Object.fromEntries(
    schemas.map((schema) => [textOf(schema["$id"]).replace(".schema.json", ""), schema]),
  );
  return `${banner}import type { JsonObject } from "../../base/index.ts";

export type SchemaName = "common" | ${names};

/** schemas/*.schema.json of the documents that people write. */
export const schemas: Readonly<Record<SchemaName, JsonObject>> = ${JSON.stringify(byName, null, 2)};

/** schemas/aoc.json: derived keys and the service that owns each. */
export const aocKeys: Readonly<Record<string, string>> = ${JSON.stringify(aoc.keys, null, 2)};
`;
}

async function main(check: boolean): Promise<number> {
  const schemas = await Promise.all(["common", ...kinds].map(readSchema));
  const files = { "documents.ts": await renderDocuments(schemas), "schemas.ts": await renderSchemas(schemas) };
  let drifted = 0;
  for (const [name, text] of Object.entries(files)) {
    const url = new URL(name, generatedDir);
    const current = await readFile(url, "utf8").catch(() => "");
    if (current === text) continue;
    drifted += 1;
    if (check) process.stderr.write(`src/spec/generated/${name} differs from schemas/: run npm run generate\n`);
    else await writeFile(url, text);
  }
  return check && drifted > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.includes("--check"));
