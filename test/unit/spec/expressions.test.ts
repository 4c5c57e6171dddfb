import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/base/index.ts";
import { evaluateExpression, expressionRoots, parseTemplate } from "../../../src/spec/index.ts";
import { rounds } from "../../support/effort.ts";

/** What docs/expressions.md shows: each row is a test here. */
const vectors = JSON.parse(readFileSync(new URL("../../vectors/expressions.json", import.meta.url), "utf8")) as {
  readonly scope: JsonObject;
  readonly gives: readonly { readonly what: string; readonly template: Json; readonly value: Json }[];
  readonly fails: readonly {
    readonly what: string;
    readonly template: Json;
    readonly code: string;
    readonly says: string;
  }[];
  readonly kinds: readonly {
    readonly kind: "condition" | "list";
    readonly template: Json;
    readonly accepted: boolean;
  }[];
};
const { scope } = vectors;

const evaluate = (template: Json, kind?: "value" | "condition" | "list") =>
  evaluateExpression({ template, scope, ...(kind === undefined ? {} : { kind }) });

describe("an expression gives", () => {
  it.each(vectors.gives)("$what", ({ template, value }) => {
    expect(evaluate(template)).toEqual({ ok: true, value });
  });
});

describe("an expression fails, without a value in its message", () => {
  it.each(vectors.fails)("$what", ({ template, code, says }) => {
    const answer = evaluate(template);

    expect(answer).toMatchObject({ ok: false, code });
    const said = answer.ok ? "" : answer.message;
    expect(said).toMatch(new RegExp(says));
    expect(said).not.toContain("2026-03-01");
  });
});

describe("kinds", () => {
  it.each(vectors.kinds)("$kind of $template is accepted: $accepted", ({ kind, template, accepted }) => {
    expect(evaluate(template, kind)).toMatchObject(accepted ? { ok: true } : { ok: false, code: "ERR_EXPR" });
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
