import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText, type Json, type JsonObject } from "../../../src/base/index.ts";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import { checkInput, checkOutput, decodeSpec } from "../../../src/compute/tasks.ts";
import { rounds } from "../../support/effort.ts";
import { bytesOf, dagText } from "../../support/spec-fixtures.ts";

const open: JsonObject = { type: "object" };
const output = (text: string, own: Partial<Parameters<typeof checkOutput>[0]> = {}) =>
  checkOutput({ text, schema: open, emits: "raw", service: "core", maxBytes: 1024, ...own });

describe("an output", () => {
  it("is accepted as canonical text, with its hash", () => {
    const text = '{"a":1,"b":["é"]}';

    expect(output(text)).toEqual({ ok: true, value: { a: 1, b: ["é"] }, hash: sha256Hex(text) });
  });

  it.each([
    ["a blank", '{"a": 1}'],
    ["keys out of order", '{"b":1,"a":1}'],
    ["a key twice", '{"a":1,"a":1}'],
    ["a number written otherwise", '{"a":1.0}'],
    ["an escape that JCS does not use", '{"a":"\\u0061"}'],
    ["a line end", '{"a":1}\n'],
    ["no JSON", "{"],
    ["nothing", ""],
    ["U+0000", '{"a":"\\u0000"}'],
    ["half a character", '{"a":"\\ud800"}'],
    ["an integer beyond 2^53", '{"a":9007199254740993}'],
    ["too much depth", `{"a":${"[".repeat(70)}${"]".repeat(70)}}`],
  ])("with %s is refused", (_what, text) => {
    expect(output(text)).toMatchObject({ ok: false, code: "ERR_OUTPUT_NOT_IJSON" });
  });

  it.each(["[]", "null", "1", '"x"'])("that is %s is no object", (text) => {
    expect(output(text)).toMatchObject({ ok: false, code: "ERR_OUTPUT_SCHEMA" });
  });

  it("is measured in bytes, by the least of its caps", () => {
    const text = canonicalText({ a: "é".repeat(600) });

    expect(output(text)).toMatchObject({ ok: false, code: "STEP_OUTPUT_TOO_LARGE" });
    expect(output(text, { maxBytes: 2048 })).toMatchObject({ ok: true });
    expect(output(canonicalText({ a: "x".repeat(1024 * 1024) }), { maxBytes: 9e9 })).toMatchObject({
      code: "STEP_OUTPUT_TOO_LARGE",
    });
  });

  it("is held to its schema, and the message names the place and not the value", () => {
    const schema = { type: "object", properties: { a: { type: "array", items: { type: "integer" } } } };

    const answer = output('{"a":[1,"hunter2"]}', { schema });

    expect(answer).toMatchObject({ ok: false, code: "ERR_OUTPUT_SCHEMA" });
    expect(answer.ok ? "" : answer.message).toContain("/a/1");
    expect(answer.ok ? "" : answer.message).not.toContain("hunter2");
  });

  it("holds a derived field only where its plugin derives and owns it", () => {
    const text = '{"findings":[{"severity":"high"}]}';

    expect(output(text)).toMatchObject({ ok: false, code: "ERR_AOC_FIELD" });
    expect(output(text, { emits: "derived", service: "notify" })).toMatchObject({ ok: false, code: "ERR_AOC_FIELD" });
    expect(output(text, { emits: "raw", service: "policy" })).toMatchObject({ ok: false, code: "ERR_AOC_FIELD" });
    expect(output(text, { emits: "derived", service: "policy" })).toMatchObject({ ok: true });
    const failed = output(text);
    expect(failed.ok ? "" : failed.message).toContain("/findings/0/severity");
  });

  it("is not looked into below a source", () => {
    const schema = { type: "object", properties: { document: { type: "object", "x-orrery-aoc": "source" } } };

    expect(output('{"document":{"severity":"high"}}', { schema })).toMatchObject({ ok: true });
    expect(output('{"other":{"severity":"high"}}', { schema })).toMatchObject({ code: "ERR_AOC_FIELD" });
  });

  it("is accepted exactly where its text is the canonical text of what it says", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 })),
        fc.nat({ max: 4 }),
        (value, spaces) => {
          const text = JSON.stringify(value, null, spaces);
          const answer = output(text, { maxBytes: 1024 * 1024 });
          expect(answer.ok || answer.code === "ERR_AOC_FIELD").toBe(isCanonical(text));
        },
      ),
      { numRuns: rounds(500, 12500) },
    );
  });
});

function isCanonical(text: string): boolean {
  try {
    return canonicalText(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

describe("an input", () => {
  const schema = {
    type: "object",
    additionalProperties: false,
    required: ["a"],
    properties: { a: { type: "integer" } },
  };

  it("is given back as canonical text with its hash", () => {
    expect(checkInput({ value: { a: 1 }, schema })).toEqual({ ok: true, text: '{"a":1}', hash: sha256Hex('{"a":1}') });
  });

  it.each<[string, Json]>([
    ["what does not fit", { a: "x" }],
    ["what lacks a member", {}],
    ["what has one more", { a: 1, b: 2 }],
    ["U+0000", { a: 1, b: "\u0000" }],
    ["over 1 MiB", { a: 1, b: "x".repeat(1024 * 1024) }],
  ])("is refused: %s", (_what, value) => {
    expect(checkInput({ value, schema })).toMatchObject({ ok: false, code: "ERR_INPUT_SCHEMA" });
  });
});

describe("a decoded document", () => {
  it("carries the hash of its normal form", () => {
    const decoded = decodeSpec({
      path: "tenants/acme/dags/a.yaml",
      bytes: bytesOf(dagText("steps:\n  a: { uses: core.log@1.0.0 }")),
    });

    expect(decoded.ok && decoded.document.specHash).toBe(decoded.ok ? sha256Hex(decoded.document.specText) : "");
    expect(structuredClone(decoded)).toEqual(decoded);
  });
});
