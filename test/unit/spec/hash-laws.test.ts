import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { Json, JsonObject } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import { classifyPath, decodeDocument, type SchemaName, schemas, specHashOf } from "../../../src/spec/index.ts";
import { bytesOf } from "../../support/spec-fixtures.ts";

const example = new URL("../../../specs-example/", import.meta.url);

/** A DAG that has every mapping a DAG can have, none of them whole. */
const rich = `apiVersion: orrery/v1
kind: Dag
spec:
  inputs: { day: { type: date } }
  schedules:
    - { cron: "30 3 * * *", catchUp: { maxAge: 24h }, inputs: { day: "\${{ slot.date }}" } }
  concurrency: {}
  steps:
    a: { uses: core.log@1.0.0 }
    b: { uses: core.log@1.0.0, network: ["b.example:1", "a.example:1"], files: [b/**, a/**], secrets: { token: t } }
    c:
      uses: core.log@1.0.0
      needs: [b, a]
      forEach: { in: [1, 2] }
      retry: { errors: [timeout, lost, transient] }
      limits: {}
    d: { uses: core.log@1.0.0, needs: c, retry: { maxAttempts: 2 } }
  finally:
    e: { uses: core.log@1.0.0, limits: { memory: 64Mi }, forEach: { in: [], maxItems: 3 } }
`;

const documents: readonly (readonly [path: string, text: string])[] = [
  ["tenants/acme/dags/rich.yaml", rich],
  [
    "tenants/acme/quota.yaml",
    "apiVersion: orrery/v1\nkind: Quota\nspec: { runs: {}, steps: {}, perStep: {}, perDay: { cpuTime: 2h } }\n",
  ],
  [
    "orrery.yaml",
    'apiVersion: orrery/v1\nkind: Repository\nspec: { trust: { groups: { a: [x] }, paths: [{ match: "**", by: a }] }, brakes: {} }\n',
  ],
  ...readdirSync(example, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => [name, readFileSync(new URL(name, example), "utf8")] as const),
];

interface Node {
  readonly schema: JsonObject;
  readonly home: SchemaName;
}

const objectOf = (value: Json | undefined): JsonObject | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

function nodeOf(schema: Json | undefined, home: SchemaName): Node | null {
  const own = objectOf(schema);
  const reference = own?.["$ref"];
  if (own === null || typeof reference !== "string") return own === null ? null : { schema: own, home };
  const [file = "", pointer = ""] = reference.split("#");
  const target = file === "" ? home : (file.replace(".schema.json", "") as SchemaName);
  const parts = pointer.split("/").slice(1);
  const found = nodeOf(
    parts.reduce((at: Json | undefined, part) => objectOf(at)?.[part], schemas[target]),
    target,
  );
  return found === null ? null : { schema: { ...found.schema, ...own }, home: found.home };
}

type Path = readonly (string | number)[];
type Visit = (path: Path, node: Node, value: Json | undefined) => void;

/** Every place that the schema knows below mappings that are there, with what stands at it. A schema of a user's is a value. */
function walk(node: Node | null, value: Json | undefined, path: Path, visit: Visit): void {
  if (node === null || node.schema["title"] === "ValueSchema") return;
  visit(path, node, value);
  const { properties, additionalProperties, items } = node.schema;
  const mapping = objectOf(value);
  if (mapping !== null) {
    for (const [key, schema] of Object.entries(objectOf(properties) ?? {}))
      walk(nodeOf(schema, node.home), mapping[key], [...path, key], visit);
    for (const key of Object.keys(mapping).filter((name) => objectOf(properties)?.[name] === undefined))
      walk(nodeOf(additionalProperties, node.home), mapping[key], [...path, key], visit);
  }
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) walk(nodeOf(items, node.home), item as Json, [...path, index], visit);
}

function withValue(document: Json, [key, ...rest]: Path, value: Json): Json {
  if (key === undefined) return value;
  const at = document as Record<string | number, Json>;
  const copy = (Array.isArray(document) ? [...listOf(document)] : { ...at }) as Record<string | number, Json>;
  copy[key] = withValue(at[key] ?? null, rest, value);
  return copy;
}

function hashOf(path: string, text: string): string {
  const result = decodeDocument({ path, bytes: bytesOf(text) });
  if (!result.ok) throw new Error(`${JSON.stringify(result.findings)}\n${text}`);
  return specHashOf(result.document.specText, sha256);
}

function placesOf(
  path: string,
  document: Json,
): readonly (readonly [path: Path, node: Node, value: Json | undefined])[] {
  const kind = (classifyPath(path)?.kind ?? "Dag").toLowerCase() as SchemaName;
  const found: (readonly [Path, Node, Json | undefined])[] = [];
  walk(nodeOf(schemas[kind], kind), document, [], (...place) => void found.push(place));
  return found;
}

describe("laws of the hash, for every field that the schemas know", () => {
  it("a default that is written out is not seen", () => {
    let count = 0;
    for (const [path, text] of documents) {
      const document = parse(text) as Json;
      const before = hashOf(path, text);
      for (const [at, { schema }, value] of placesOf(path, document)) {
        if (value !== undefined || schema["default"] === undefined) continue;
        count += 1;
        const full = stringify(withValue(document, at, schema["default"]));
        expect([path, at, hashOf(path, full)]).toEqual([path, at, before]);
      }
    }
    expect(count).toBeGreaterThan(150);
  });

  it("the order of a set is not seen; the order of any other list is", () => {
    const seen = { set: 0, list: 0 };
    for (const [path, text] of documents) {
      const document = parse(text) as Json;
      const before = hashOf(path, text);
      for (const [at, { schema }, value] of placesOf(path, document)) {
        if (listOf(value).length < 2) continue;
        const isSet = textOf(schema["description"]).includes("set");
        const turned = stringify(withValue(document, at, [...listOf(value)].reverse()));
        const decoded = decodeDocument({ path, bytes: bytesOf(turned) });
        // Keys of a site stand in the order of their batches.
        if (!decoded.ok) continue;
        seen[isSet ? "set" : "list"] += 1;
        expect([path, at, specHashOf(decoded.document.specText, sha256) === before]).toEqual([path, at, isSet]);
      }
    }
    expect(seen.set).toBeGreaterThan(3);
  });

  it("what differs from a default is seen", () => {
    let count = 0;
    for (const [path, text] of documents.filter(
      ([name]) => name.endsWith("rich.yaml") || name.endsWith("quota.yaml"),
    )) {
      const document = parse(text) as Json;
      const before = hashOf(path, text);
      for (const [at, { schema }, value] of placesOf(path, document)) {
        const { default: standard, enum: choices } = schema;
        const other = Array.isArray(choices)
          ? (choices as readonly Json[]).find((choice) => choice !== standard)
          : typeof standard === "number"
            ? standard + 1
            : typeof standard === "boolean"
              ? !standard
              : {
                  "5m": "6m",
                  "1h": "2h",
                  "60s": "61s",
                  "128Mi": "127Mi",
                  "16Mi": "15Mi",
                  "5s": "6s",
                  UTC: "Asia/Tokyo",
                  item: "it",
                  "1m": "2m",
                }[textOf(standard)];
        if (value !== undefined || standard === undefined || other === undefined) continue;
        count += 1;
        const changed = stringify(withValue(document, at, other));
        expect([path, at, other, hashOf(path, changed) === before]).toEqual([path, at, other, false]);
      }
    }
    expect(count).toBeGreaterThan(30);
  });
});
