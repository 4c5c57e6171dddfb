import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText, type Json, type JsonObject, jsonDefect } from "../../../src/base/index.ts";
import { checkSchedule, nextSlot } from "../../../src/calendar/index.ts";
import { checkDag, decodeDocument, formatDocument, schemas } from "../../../src/spec/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { bytesOf, sampleContext } from "../../support/spec-fixtures.ts";

type Home = keyof typeof schemas;

const paths: Readonly<Partial<Record<Home, string>>> = {
  repository: "orrery.yaml",
  site: "sites/hq.yaml",
  tenant: "tenants/acme/tenant.yaml",
  quota: "tenants/acme/quota.yaml",
  allowlist: "tenants/acme/allowlist.yaml",
  slo: "tenants/acme/slo.yaml",
  dag: "tenants/acme/dags/sample.yaml",
  plugin: "plugins/core.log/1.0.0/plugin.yaml",
};

const maxDepth = 7;

const objectOf = (value: Json | undefined): JsonObject => (value ?? {}) as JsonObject;
const numberOf = (value: Json | undefined, otherwise: number): number =>
  typeof value === "number" ? value : otherwise;

/** Values that a schema of ours takes, its borders and largest numbers among them; written from the schema alone. */
function arbitraryOf(schema: Json, home: Home, depth: number): fc.Arbitrary<Json> {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema))
    return fc.jsonValue() as fc.Arbitrary<Json>;
  const node = schema as JsonObject;
  if (typeof node["$ref"] === "string") return referred(node["$ref"], node, home, depth);
  if (node["const"] !== undefined) return fc.constant(node["const"]);
  if (Array.isArray(node["enum"])) return fc.constantFrom(...(node["enum"] as readonly Json[]));
  const types = [node["type"] ?? []].flat() as readonly string[];
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
  return fc.oneof(...types.map((type) => arbitraryOfType(type, node, home, depth)));
}

function referred(reference: string, node: JsonObject, home: Home, depth: number): fc.Arbitrary<Json> {
  const [file = "", pointer = ""] = reference.split("#");
  const target = file === "" ? home : (file.replace(".schema.json", "") as Home);
  const path = pointer.split("/").slice(1);
  const found = path.reduce((at: Json, part) => objectOf(at)[part] as Json, schemas[target]);
  const { $ref: _followed, ...own } = node;
  // A schema within a schema is wide: two levels of it show all that one can hold.
  return arbitraryOf({ ...objectOf(found), ...own }, target, pointer.includes("valueSchema") ? depth + 2 : depth);
}

function arbitraryOfType(type: string, node: JsonObject, home: Home, depth: number): fc.Arbitrary<Json> {
  switch (type) {
    case "object":
      return mapping(node, home, depth);
    case "array": {
      const minLength = numberOf(node["minItems"], 0);
      if (depth > maxDepth) return fc.constant([]);
      const items = arbitraryOf(node["items"] ?? true, home, depth + 1);
      const size = { minLength, maxLength: Math.max(minLength, 3) };
      return node["uniqueItems"] === true
        ? fc.uniqueArray(items, { ...size, selector: (item) => JSON.stringify(item) })
        : fc.array(items, size);
    }
    case "string":
      return text(node);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default: {
      const min = numberOf(node["minimum"], -Number.MAX_SAFE_INTEGER);
      const max = numberOf(node["maximum"], Number.MAX_SAFE_INTEGER);
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
    }
  }
}

function text(node: JsonObject): fc.Arbitrary<Json> {
  const any = fc.string({ minLength: numberOf(node["minLength"], 0), maxLength: 20 });
  const shown = [node["examples"] ?? [], node["default"] ?? []].flat().filter((value) => typeof value === "string");
  const pattern = node["pattern"];
  const isPlain = typeof pattern === "string" && !/\(\?[!=]/.test(pattern);
  const made = isPlain
    ? fc.stringMatching(new RegExp(pattern, "u"))
    : shown.length > 0
      ? fc.constantFrom(...shown)
      : any;
  // The longest of what fits a pattern is where arithmetic ends.
  const longest = fc
    .array(made, { minLength: 20, maxLength: 20 })
    .map((all) => all.reduce((a, b) => (b.length > a.length ? b : a)));
  const good = fc.oneof(made, longest, ...(shown.length === 0 ? [] : [fc.constantFrom(...shown)]));
  const templates = fc.constantFrom(
    "${{ inputs.day }}",
    "${{ steps.a.outputs }}",
    "${{",
    "a ${{ 1 + }} b",
    "30 3 * * *",
    "0 0 30 2 *",
  );
  return fc.oneof(
    { weight: 9, arbitrary: good },
    { weight: 1, arbitrary: typeof pattern === "string" ? good : templates },
  );
}

function mapping(node: JsonObject, home: Home, depth: number): fc.Arbitrary<Json> {
  const properties = Object.entries(objectOf(node["properties"]));
  const required = [node["required"] ?? []].flat() as readonly string[];
  const members = properties.map(([name, member]) => {
    const isDeep = depth > maxDepth && !required.includes(name);
    const value = isDeep ? fc.constant(undefined) : arbitraryOf(member, home, depth + 1);
    const there = required.includes(name) ? value : fc.option(value, { nil: undefined, freq: 3 });
    return [name, there] as const;
  });
  const fixed = fc.record(Object.fromEntries(members)) as fc.Arbitrary<Readonly<Record<string, Json | undefined>>>;
  const other = node["additionalProperties"];
  const free =
    other === false || depth > maxDepth
      ? fc.constant({})
      : fc.dictionary(
          fc.constantFrom("a", "b", "c", "day", "constructor"),
          arbitraryOf(other ?? true, home, depth + 1),
          {
            minKeys: numberOf(node["minProperties"], 0),
            maxKeys: 3,
          },
        );
  return fc.tuple(fixed, free).map(([own, more]) => {
    const there = Object.entries({ ...more, ...own }).filter(([, value]) => value !== undefined);
    return Object.fromEntries(there) as Json;
  });
}

/** What a schema cannot say: the owner is in the path, some are schemas of mappings, of two ways only one is taken. */
const beyondSchema: Readonly<Record<string, (spec: JsonObject) => JsonObject>> = {
  plugin: (spec) => ({
    ...{ ...spec, service: "core" },
    input: { ...objectOf(spec["input"]), type: "object" },
    output: { ...objectOf(spec["output"]), type: "object" },
  }),
  dag: ({ inputsSchema: _other, inputs, ...spec }) => ({
    ...spec,
    ...(inputs === undefined ? {} : { inputs: mapped(inputs, ({ default: _any, enum: _of, ...input }) => input) }),
    schedules: [spec["schedules"] ?? []].flat().map((schedule) => {
      const { cron, every, ...rest } = schedule as JsonObject;
      return { ...rest, ...(every === undefined ? { cron: cron ?? "30 3 * * *" } : { every }) };
    }),
  }),
};

const mapped = (value: Json, of: (member: JsonObject) => JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(objectOf(value)).map(([key, member]) => [key, of(objectOf(member))]));

describe.each(Object.entries(paths))("documents made from the schema of %s", (kind, path) => {
  it(
    "are decoded or answered with findings, linted and laid out, whatever their values",
    () => {
      let decodedCount = 0;
      let count = 0;
      const documents = arbitraryOf(schemas[kind as Home], kind as Home, 0).filter(
        (value) => jsonDefect(value) === null,
      );
      fc.assert(
        fc.property(documents, (value) => {
          count += 1;
          const { metadata: _asThePathSays, ...document } = value as { metadata?: Json; spec: JsonObject };
          document.spec = (beyondSchema[kind] ?? ((spec: JsonObject) => spec))(document.spec);
          const bytes = bytesOf(JSON.stringify(document));
          const decoded = decodeDocument({ path, bytes });

          expect(decoded.ok || decoded.findings.length > 0).toBe(true);
          formatDocument({ path, bytes });
          if (!decoded.ok) return;
          decodedCount += 1;
          expect(canonicalText(JSON.parse(decoded.document.specText) as Json)).toBe(decoded.document.specText);
          if (decoded.document.kind !== "Dag") return;
          const { spec } = decoded.document;
          for (const finding of checkDag(spec, sampleContext(decoded.document, { checkSchedule }))) {
            expect(finding.line).toBe(1);
            expect(finding.col).toBeGreaterThan(0);
          }
          for (const schedule of spec.schedules) {
            if (checkSchedule(schedule) === null) nextSlot(schedule, new Date("2026-11-24T00:00:00Z"));
          }
        }),
        { numRuns: rounds(60, 5000) },
      );
      expect(decodedCount / count).toBeGreaterThan(0.05);
    },
    soakTimeout(60_000),
  );
});
