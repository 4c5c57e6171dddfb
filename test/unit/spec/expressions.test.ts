import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/base/index.ts";
import { evaluateExpression, expressionRoots, parseTemplate } from "../../../src/spec/index.ts";
import { rounds } from "../../support/effort.ts";

const scope: JsonObject = {
  inputs: { n: 3, ratio: 1.5, day: "2026-03-01", names: ["b", "a"], matrix: [[1], [2, 3]] },
  steps: {
    files: {
      status: "succeeded",
      outputs: {
        documents: [
          { path: "vex/a.json", n: 1 },
          { path: "sbom/b.json", n: 2 },
        ],
        total: 2,
        "odd key": true,
      },
    },
    broken: { status: "failed" },
    all: { status: "succeeded", outputs: [{ ok: true }, null] },
  },
  run: { tenant: "acme", runNo: 7 },
  slot: { utc: "2026-03-01T03:30:00.000Z" },
  doc: { path: "vex/a.json" },
  index: 2,
};

const evaluate = (template: Json, kind?: "value" | "condition" | "list") =>
  evaluateExpression({ template, scope, ...(kind === undefined ? {} : { kind }) });

describe("an expression gives", () => {
  it.each<[string, Json, Json]>([
    ["a text as it is", "plain", "plain"],
    ["an integer", "${{ inputs.n + 1 }}", 4],
    ["a double", "${{ inputs.ratio * 2.0 }}", 3],
    ["the type of what it names", "${{ inputs.names }}", ["b", "a"]],
    ["a text round it", "n is ${{ inputs.n }}, r is ${{ inputs.ratio }}", "n is 3, r is 1.5"],
    ["JSON within a text", "got ${{ inputs.names }} ${{ run }}", 'got ["b","a"] {"runNo":7,"tenant":"acme"}'],
    ["a whole value at any depth", { a: [{ b: "${{ index }}" }], c: true }, { a: [{ b: 2 }], c: true }],
    ["white space round a whole expression no meaning", " ${{ index }}\n", 2],
    ["a mapping", "${{ {'a': {'b': 1}} }}", { a: { b: 1 } }],
    ["mixed lists", "${{ [1, 'a', null, true] }}", [1, "a", null, true]],
    ["text with braces", "${{ '}}' + \"a}}b\" + r'\\d' }}", "}}a}}b\\d"],
    ["text past a comment", "${{ 1 // }} \n + 1 }}", 2],
    ["a member with a blank", "${{ steps.files.outputs['odd key'] }}", true],
    ["an item", "${{ doc.path }}", "vex/a.json"],
    ["an item of a list", "${{ steps.all.outputs[0].ok }}", true],
    ["the status of a step", "${{ steps.broken.status }}", "failed"],
    ["a time as text", "${{ string(timestamp(slot.utc)) }}", "2026-03-01T03:30:00.000Z"],
    ["a part of a time", "${{ timestamp(slot.utc).getHours() }}", 3],
    ["map", "${{ steps.files.outputs.documents.map(d, d.n * 2) }}", [2, 4]],
    [
      "filter with glob",
      "${{ steps.files.outputs.documents.filter(d, d.path.glob('vex/**')).map(d, d.path) }}",
      ["vex/a.json"],
    ],
    ["nested macros", "${{ inputs.matrix.map(row, row.map(x, x + 1)) }}", [[2], [3, 4]]],
    ["sort", "${{ inputs.names.sort() }}", ["a", "b"]],
    ["sort of numbers", "${{ [10, 9, 1].sort() }}", [1, 9, 10]],
    ["replace, of all, without patterns", "${{ 'a.b.c'.replace('.', '$&') }}", "a$&b$&c"],
    ["join", "${{ inputs.names.join('-') }}", "b-a"],
    ["size", "${{ size(inputs.names) + inputs.day.size() }}", 12],
    ["a choice", "${{ inputs.n > 2 ? 'many' : 'few' }}", "many"],
    ["bind", "${{ cel.bind(x, inputs.n, x * x) }}", 9],
    ["a conversion", "${{ string(inputs.n) + '!' }}", "3!"],
    ["has, true", "${{ has(steps.files.outputs) }}", true],
    ["has, false for a step without outputs", "${{ has(steps.broken.outputs) }}", false],
  ])("%s", (_what, template, value) => {
    expect(evaluate(template)).toEqual({ ok: true, value });
  });
});

describe("an expression fails, without a value in its message", () => {
  it.each<[string, Json, string, RegExp]>([
    ["no such key", "${{ inputs.nope }}", "ERR_EXPR", /no such key: nope.*has/],
    ["outputs of a failed step", "${{ steps.broken.outputs.x }}", "ERR_EXPR", /outputs/],
    ["a computed key", "${{ inputs[inputs.day] }}", "ERR_EXPR", /^no such key or index$/],
    ["an index beyond the end", "${{ inputs.names[5] }}", "ERR_EXPR", /./],
    ["a text as number", "${{ int(inputs.day) }}", "ERR_EXPR", /int/],
    ["a text as boolean", "${{ bool(inputs.day) }}", "ERR_EXPR", /bool/],
    ["a text as duration", "${{ string(size(string(duration(inputs.day)))) }}", "ERR_EXPR", /./],
    ["a division by zero", "${{ 1 / 0 }}", "ERR_EXPR", /zero/],
    ["types that do not go together", "${{ inputs.n + inputs.day }}", "ERR_EXPR", /overload/],
    ["an integer beyond 2^53", "${{ 9007199254740991 + 1 }}", "ERR_EXPR", /2\^53/],
    ["a timestamp", "${{ timestamp(slot.utc) }}", "ERR_EXPR", /string/],
    ["bytes", "${{ b'a' }}", "ERR_EXPR", /bytes/],
    ["an unsigned integer", "${{ 1u }}", "ERR_EXPR", /./],
    ["infinity", "${{ 1.0 / 0.0 }}", "ERR_EXPR", /./],
    ["a sort of both kinds", "${{ [1, 'a'].sort() }}", "ERR_EXPR", /sort/],
    ["an open expression", "${{ inputs.n", "ERR_EXPR", /\}\}/],
    ["an empty expression", "${{ }}", "ERR_EXPR", /empty/],
    ["what does not parse", "${{ 1 + }}", "ERR_EXPR", /./],
    ["a secret", "${{ secrets.token }}", "ERR_EXPR", /secret/],
    ["the environment", "${{ env.HOME }}", "ERR_EXPR", /not known/],
    ["a step by a computed name", "${{ steps[inputs.day].outputs }}", "ERR_EXPR", /in full/],
    ["a prototype", "${{ inputs.__proto__ }}", "ERR_EXPR", /no such key/],
    ["a constructor", "${{ inputs.constructor }}", "ERR_EXPR", /no such key/],
    ["matches", "${{ inputs.day.matches('(a+)+$') }}", "ERR_EXPR", /for ever/],
    ["a zone of the machine", "${{ timestamp(slot.utc).getHours('Europe/Vienna') }}", "ERR_EXPR", /arguments/],
    ["a type", "${{ type(1) }}", "ERR_EXPR", /no function/],
    ["a JSON of bytes", "${{ b'{}'.json() }}", "ERR_EXPR", /no function/],
    ["a macro that hides a root", "${{ [1].map(steps, steps) }}", "ERR_EXPR", /already/],
  ])("%s", (_what, template, code, message) => {
    const answer = evaluate(template);

    expect(answer).toMatchObject({ ok: false, code });
    const said = answer.ok ? "" : answer.message;
    expect(said).toMatch(message);
    expect(said).not.toContain("2026-03-01");
  });
});

describe("kinds", () => {
  it.each<["condition" | "list", Json, boolean]>([
    ["condition", "${{ inputs.n > 2 }}", true],
    ["condition", "${{ inputs.n }}", false],
    ["condition", "yes ${{ true }}", false],
    ["list", "${{ inputs.names }}", true],
    ["list", ["${{ index }}", 1], true],
    ["list", "${{ inputs.n }}", false],
    ["list", "${{ run }}", false],
  ])("%s of %j is accepted: %s", (kind, template, ok) => {
    expect(evaluate(template, kind)).toMatchObject(ok ? { ok } : { ok, code: "ERR_EXPR" });
  });
});

describe("cost is bounded before anything runs", () => {
  const xs = Array.from({ length: 1000 }, (_, n) => n);
  const wide: JsonObject = { inputs: { xs, text: "x".repeat(100_000) }, steps: {}, run: {} };

  it.each<[string, string]>([
    ["macros in macros", "${{ inputs.xs.map(a, inputs.xs.map(b, a * b)) }}"],
    ["three macros deep", "${{ inputs.xs.all(a, inputs.xs.all(b, inputs.xs.all(c, true))) }}"],
    [
      "a list that grows",
      "${{ cel.bind(a, inputs.xs + inputs.xs, cel.bind(b, a + a, cel.bind(c, b + b, c.map(x, c.size() + x)))).map(y, inputs.xs.map(z, z)) }}",
    ],
    [
      "doubling of lists",
      `\${{ ${"cel.bind(a, inputs.xs + inputs.xs, ".repeat(1)}${Array.from({ length: 8 }, (_, n) => `cel.bind(a${String(n)}, ${n === 0 ? "a + a" : `a${String(n - 1)} + a${String(n - 1)}`}, `).join("")}a7.size()${")".repeat(9)} }}`,
    ],
    [
      "doubling of texts",
      `\${{ cel.bind(a, inputs.text + inputs.text, ${Array.from({ length: 8 }, (_, n) => `cel.bind(a${String(n)}, ${n === 0 ? "a + a" : `a${String(n - 1)} + a${String(n - 1)}`}, `).join("")}a7.size()${")".repeat(9)} }}`,
    ],
    ["a replace that grows", "${{ inputs.text.replace('x', inputs.text) }}"],
    ["a join that grows", "${{ inputs.xs.map(x, inputs.text).join('') }}"],
    ["a result of shared lists", "${{ inputs.xs.map(a, inputs.xs) }}"],
    ["a split per character", "${{ inputs.text.split('').map(a, a + a).map(b, b).size() }}"],
  ])("refuses %s", (_what, template) => {
    const startMs = performance.now();

    const answer = evaluateExpression({ template, scope: wide });

    expect(answer).toMatchObject({ ok: false, code: "EXPR_COST" });
    expect(performance.now() - startMs).toBeLessThan(2000);
  });

  it("counts the lists that are there, not the ones that could be", () => {
    const nested: JsonObject = {
      inputs: { rows: Array.from({ length: 1000 }, () => ({ tags: [1, 2] })) },
      steps: {},
      run: {},
    };

    const answer = evaluateExpression({
      template: "${{ inputs.rows.map(r, r.tags.map(t, t + 1).size()).size() }}",
      scope: nested,
    });

    expect(answer).toEqual({ ok: true, value: 1000 });
  });

  it("refuses a text over 1 MiB", () => {
    const template = "${{ inputs.text }}".repeat(11);

    expect(evaluateExpression({ template, scope: wide })).toMatchObject({ ok: false, code: "EXPR_COST" });
  });
});

describe("any text", () => {
  it("is answered, and never changes the scope", () => {
    const before = JSON.stringify(scope);
    const words = fc.constantFrom(
      "inputs",
      "steps",
      ".",
      "files",
      "outputs",
      "(",
      ")",
      "[",
      "]",
      "'a'",
      "1",
      "+",
      "map",
      "x",
      ",",
      "{",
      "}",
      "?",
      ":",
      "&&",
      "has",
      "cel",
      "bind",
      " ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words, { maxLength: 20 }).map((parts) => parts.join("")),
        ),
        (source) => {
          const answer = evaluate(`\${{${source}}}`);
          expect(typeof answer.ok).toBe("boolean");
        },
      ),
      { numRuns: rounds(1500, 37500) },
    );
    expect(JSON.stringify(scope)).toBe(before);
  });

  it("splits into parts that give it back", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        const text = `${left}\${{ 'x' }}${right}`;
        const parsed = parseTemplate(text);
        if (!parsed.ok) return;
        const back = parsed.parts.map((part) => (part.kind === "text" ? part.text : `\${{${part.source}}}`)).join("");
        expect(back).toBe(text);
      }),
    );
  });
});

describe("expressionRoots", () => {
  it("names what is read, by syntax alone", () => {
    const roots = expressionRoots({
      a: "${{ steps.one.outputs.x + steps['two'].outputs.y }}",
      b: ["${{ steps.three.status == 'failed' && has(steps.four.outputs) }}"],
      c: "${{ inputs.xs.map(run_, run_.x + inputs.ys[steps.five.outputs.n]) }} on ${{ slot.date }}",
      d: "${{ this does not parse }}",
      e: "steps.six.outputs",
    });

    expect(roots).toEqual({ outputs: ["five", "four", "one", "two"], status: ["three"], names: ["inputs", "slot"] });
  });
});
