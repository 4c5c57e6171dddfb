import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/base/index.ts";
import { checkAoc } from "../../../src/policy/index.ts";
import { aocKeys } from "../../../src/spec/index.ts";

const list = { keys: { ...aocKeys, effectiveStatus: "policy", consensus: "vex-lens" } };
const raw = { emits: "raw", service: "vex-lens" } as const;
const check = (
  value: Json,
  schema: JsonObject = { type: "object" },
  emitter: { emits: "raw" | "derived"; service: string } = raw,
) => checkAoc(value, schema, emitter, list);

describe("checkAoc", () => {
  it("finds a derived key at any depth, with its place and owner", () => {
    expect(check({ a: [{ b: 1 }, { "x/y": { consensus: "affected" } }] })).toEqual({
      pointer: "/a/1/x~1y/consensus",
      key: "consensus",
      owner: "vex-lens",
    });
  });

  it.each(["Consensus", "CONSENSUS", "con-sensus", "con_sensus", "effective_status", "Effective-Status", "ｃonsensus"])(
    "knows %s in another spelling",
    (key) => {
      expect(check({ [key]: 1 })?.key).toBe(key);
    },
  );

  it("lets the owner emit its own key only where it says derived", () => {
    expect(check({ consensus: 1 }, {}, { emits: "derived", service: "vex-lens" })).toBeNull();
    expect(check({ consensus: 1 }, {}, { emits: "raw", service: "vex-lens" })).not.toBeNull();
    expect(check({ consensus: 1 }, {}, { emits: "derived", service: "policy" })?.owner).toBe("vex-lens");
  });

  it("does not take a value for a key", () => {
    expect(check({ note: "severity", list: ["consensus"] })).toBeNull();
  });

  it("does not look into a node marked source", () => {
    const schema = {
      properties: { document: { type: "object", "x-orrery-aoc": "source" }, rows: { items: { $ref: "#/$defs/row" } } },
      $defs: { row: { properties: { original: { allOf: [{ "x-orrery-aoc": "source" }] } } } },
    };

    expect(check({ document: { severity: "high" }, rows: [{ original: { consensus: 1 } }] }, schema)).toBeNull();
    expect(check({ rows: [{ original: {}, consensus: 1 }] }, schema)?.pointer).toBe("/rows/0/consensus");
  });

  it("attack: a mark on the field itself, in an untaken alternative, or in additionalProperties beside a property does not help", () => {
    const marked = { "x-orrery-aoc": "source" };

    expect(check({ consensus: 1 }, { properties: { consensus: marked } })).not.toBeNull();
    expect(
      check({ a: { consensus: 1 } }, { properties: { a: { anyOf: [{ type: "string", ...marked }, {}] } } }),
    ).not.toBeNull();
    expect(check({ a: { consensus: 1 } }, { properties: { a: {} }, additionalProperties: marked })).not.toBeNull();
  });

  it("attack: a schema that refers to itself, or to nothing, ends", () => {
    const loop = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { allOf: [{ $ref: "#/$defs/a" }] } } };

    expect(check({ consensus: 1 }, loop)).not.toBeNull();
    expect(check({ a: 1 }, { $ref: "#/nowhere/else" })).toBeNull();
    expect(check({ a: 1 }, { $ref: "https://example.test/x" })).toBeNull();
  });
});
