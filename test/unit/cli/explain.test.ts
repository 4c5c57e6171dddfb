import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { type CodeName, codes, type Json } from "../../../src/base/index.ts";
import { renderCode, renderField, renderKinds } from "../../../src/cli/explain/explain-view.ts";
import { type FieldFacts, fieldFacts, kindFacts } from "../../../src/cli/explain/field-facts.ts";
import { explainedKinds, fieldsOf, findField } from "../../../src/cli/explain/field-path.ts";
import { listOf, membersOf, type SchemaNode } from "../../../src/cli/explain/schema-node.ts";
import { wrappedTable } from "../../../src/cli/explain/wrapped-text.ts";
import { schemas } from "../../../src/spec/index.ts";

const factsOf = (field: string): FieldFacts => fieldFacts(findField(field));

describe("the field that a path means", () => {
  it.each([
    ["dag.spec.steps.retry", "dag.spec.steps.<name>.retry"],
    ["dag.spec.steps.collect.retry", "dag.spec.steps.<name>.retry"],
    ["dag.spec.steps.<name>.retry", "dag.spec.steps.<name>.retry"],
    ["dag.spec.steps.collect", "dag.spec.steps.<name>"],
    ["dag.spec.schedules[].cron", "dag.spec.schedules[].cron"],
    ["dag.spec.schedules[0].cron", "dag.spec.schedules[].cron"],
    ["dag.spec.schedules.1.cron", "dag.spec.schedules[].cron"],
    ["dag.spec.schedules.catchUp.policy", "dag.spec.schedules[].catchUp.policy"],
    ["plugin.spec.input.properties.x.type", "plugin.spec.input.properties.<name>.type"],
    ["quota", "quota"],
  ])("%s is %s", (asked, field) => {
    expect(findField(asked).field).toBe(field);
  });

  it.each([
    ["dag.spec.steps.retires", "did you mean retry?"],
    ["dag.spec.retry", "retry stands at dag.spec.steps.<name>.retry, dag.spec.finally.<name>.retry"],
    ["dga.spec", "did you mean dag?"],
    ["maxAttempts", "is the name of a field, not its path: dag.spec.steps.<name>.retry.maxAttempts"],
    ["dag.spec.timeout.x", "it has no fields"],
    ["common.$defs.id", "no field"],
    ["dag.__proto__", "no field here"],
    ["", "no code, and no field"],
  ])("%s is refused with help: %s", (asked, help) => {
    expect(() => findField(asked)).toThrow(help);
  });

  it("law: every field is found by the path that it is listed under", () => {
    let count = 0;
    for (const kind of explainedKinds) {
      for (const { field, node } of fieldsOf(kind)) {
        count += 1;
        expect(findField(field)).toMatchObject({ field, node: { definition: node.definition } });
      }
    }
    expect(count).toBeGreaterThan(300);
  });
});

describe("what is said of a field", () => {
  it("type, default, limits, examples, members and where else it stands come from the schema", () => {
    expect(factsOf("dag.spec.steps.retry.maxAttempts")).toMatchObject({ type: "integer", default: 1, required: false });
    expect(factsOf("dag.spec.steps.needs").type).toBe("string | list of string");
    expect(factsOf("dag.spec.steps.retry").alsoAt).toEqual(["dag.spec.finally.<name>.retry"]);
    expect(factsOf("dag.spec.timeout")).toMatchObject({ default: "1h", examples: ["30s", "5m", "24h"] });
    expect(factsOf("dag.spec.schedules").fields.find(({ name }) => name === "timezone")).toMatchObject({
      default: "UTC",
    });
    expect(factsOf("dag.spec.steps.uses")).toMatchObject({
      required: true,
      file: "tenants/<tenant>/dags/<dagId>.yaml",
    });
  });

  it("every kind names its file, and every field of a kind has a type", () => {
    for (const { kind, file, description } of kindFacts())
      expect([kind, file === "", description === ""]).toEqual([kind, false, false]);
    for (const kind of explainedKinds)
      for (const found of fieldsOf(kind)) expect([found.field, fieldFacts(found).type]).not.toEqual([found.field, ""]);
  });
});

describe("the schemas", () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  const fields = explainedKinds.flatMap((kind) => [...fieldsOf(kind)]);

  /** References of the part start from the document that it stands in. */
  const fits = ({ schema, home }: SchemaNode, value: Json): boolean => {
    const { $ref: _followed, ...own } = schema;
    const text = JSON.stringify(own).replaceAll('"$ref":"#', `"$ref":"${home}.schema.json#`);
    return ajv.validate(JSON.parse(text) as object, value);
  };

  it("describe every field, and give each that holds a value a default or an example", () => {
    const bare = fields.filter(({ node }) => typeof node.schema["description"] !== "string").map(({ field }) => field);
    const unshown = fields.filter(({ node }) => {
      const { type, default: standard, const: only, enum: choices } = node.schema;
      const shows = listOf(node.schema["examples"]).length > 0 || standard !== undefined || only !== undefined;
      return !shows && choices === undefined && type !== "object" && membersOf(node).length === 0;
    });

    expect([...new Set(bare)]).toEqual([]);
    expect(unshown.map(({ field }) => field)).toEqual([]);
  });

  it("give defaults and examples that fit", () => {
    let count = 0;
    for (const { field, node, isInItself } of fields) {
      if (isInItself) continue;
      const { default: standard } = node.schema;
      for (const value of [...listOf(node.schema["examples"]), ...(standard === undefined ? [] : [standard])]) {
        count += 1;
        expect([field, value, fits(node, value)]).toEqual([field, value, true]);
      }
    }
    expect(count).toBeGreaterThan(200);
  });
});

describe("what is printed", () => {
  const widest = (text: string): number => Math.max(...text.split("\n").map(({ length }) => length));
  /** A word that cannot be broken: a pattern, a key, a list in JSON. */
  const longestWord = (text: string): number => Math.max(...text.split(/\s+/).map(({ length }) => length));

  it.each([80, 120])("law: fits a terminal of %i columns, for every field and every code", (columns) => {
    const texts = [
      ...explainedKinds.flatMap((kind) => [...fieldsOf(kind)]).map((found) => renderField(fieldFacts(found), columns)),
      ...(Object.keys(codes) as CodeName[]).map((name) => renderCode(name, columns).split("\n\n    ")[0] ?? ""),
      renderKinds(kindFacts(), columns),
    ];

    for (const text of texts) {
      expect(text.trim()).not.toBe("");
      expect([text, widest(text) <= Math.max(columns, 60 + longestWord(text))]).toEqual([text, true]);
    }
  });

  it("every code has its number, title, cause and fix", () => {
    for (const [name, { number, title, cause, fix }] of Object.entries(codes)) {
      const text = renderCode(name as CodeName, 1000);
      for (const part of [number, name, title, cause, fix]) {
        expect(part).not.toBe("");
        expect(text).toContain(part);
      }
    }
  });

  it("breaks cells at blanks, below their column", () => {
    expect(wrappedTable(["a", "b"], [["x", "one two three four five six seven eight"]], 30)).toBe(
      ["A  B", "x  one two three four five six", "   seven eight"].join("\n"),
    );
  });
});

describe("docs/defaults.md", () => {
  it("has every kind, and every default that explain shows", () => {
    const text = readFileSync(new URL("../../../docs/defaults.md", import.meta.url), "utf8");
    const sections = text.split(/^## /m).slice(1);

    for (const kind of explainedKinds) {
      const title = kind === "config" ? "config.yaml" : kind.charAt(0).toUpperCase() + kind.slice(1);
      const section = sections.find((part) => part.startsWith(`${title}\n`));
      const wanted = [...fieldsOf(kind)].filter(({ node }) => node.schema["default"] !== undefined);
      expect([kind, section === undefined]).toEqual([kind, false]);
      for (const { field, node } of wanted)
        expect(section).toContain(
          `| \`${field.slice(kind.length + 1)}\` | \`${JSON.stringify(node.schema["default"]).replaceAll("|", "\\|")}\` |`,
        );
    }
  });
});
