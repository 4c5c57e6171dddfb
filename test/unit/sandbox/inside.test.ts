import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededFill } from "../../../sandbox/host/chance-stream.ts";
import { compileExpression } from "../../../sandbox/host/compile-code.ts";
import { hasDynamicImport } from "../../../sandbox/host/dynamic-import.ts";
import { ijsonDefect } from "../../../sandbox/host/ijson.ts";
import { outputText } from "../../../sandbox/host/output-text.ts";
import { describeThrown } from "../../../sandbox/host/step-error.ts";
import { jsonDefect } from "../../../src/base/index.ts";

describe("hasDynamicImport", () => {
  it.each([
    "import('fs')",
    "a=import ('fs')",
    "import/**/('fs')",
    "import/*\n*/ /* */('fs')",
    "import//x\n('fs')",
    "import<!-- x\n('fs')",
    "import\n--> x\n('fs')",
    "import\ufeff\u2029('fs')",
    "[...import('fs')]",
    "x?import('fs'):0",
    "import.meta",
    "void\nimport('fs')",
  ])("sees %j", (text) => {
    expect(hasDynamicImport(text)).toBe(true);
  });

  it.each([
    "importKey('x')",
    "x.import('y')",
    "reimport('x')",
    "_import('x')",
    "$import('x')",
    "an import of tea",
    "x.importance(1)",
  ])("lets %j pass", (text) => {
    expect(hasDynamicImport(text)).toBe(false);
  });

  it("is linear in hostile text", () => {
    const started = performance.now();

    hasDynamicImport("import ".repeat(100_000));
    hasDynamicImport(`import${"/*".repeat(100_000)}`);
    hasDynamicImport(`import${" \n".repeat(100_000)}`);

    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("compileExpression", () => {
  it.each(["(x) => x", "async ({ a }, ctx) => ({ b: a })", "function (x) { return x } // end", "x => `)`"])(
    "takes %j",
    (text) => {
      expect(() => compileExpression(text)).not.toThrow();
    },
  );

  it.each([
    "0); globalThis.x = 1; (0",
    "0]; globalThis.x = 1; [0",
    "a; b",
    "",
    "/*",
    "...x",
    "return 1",
    "import('fs')",
  ])("refuses %j", (text) => {
    expect(() => compileExpression(text)).toThrow();
  });
});

describe("outputText", () => {
  it("is the canonical text of an object", () => {
    expect(outputText({ b: 1, a: [true, null, "é"] }, 1000)).toBe('{"a":[true,null,"é"],"b":1}');
  });

  it("refuses what is larger before it makes the text", () => {
    const huge = { text: "x".repeat(10_000) };

    expect(() => outputText(huge, 9999)).toThrow(expect.objectContaining({ code: "STEP_OUTPUT_TOO_LARGE" }));
  });

  it.each([undefined, null, 1, "x", [], { a: undefined, b: "\0" }, { a: Number.NaN }, new Date(0), { a: new Map() }])(
    "refuses %j",
    (value) => {
      expect(() => outputText(value, 1000)).toThrow(expect.objectContaining({ code: "ERR_OUTPUT_NOT_IJSON" }));
    },
  );
});

describe("ijsonDefect", () => {
  it("agrees with the daemon's own judgement of every value", () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
        (value) => {
          expect(ijsonDefect(value) === null).toBe(jsonDefect(value) === null);
        },
      ),
    );
    for (const value of ["\0", "\ud800", Number.NaN, 2 ** 53, -(2 ** 53), [undefined], { "\0": 1 }, new Date(0)])
      expect([ijsonDefect(value) === null, jsonDefect(value) === null]).toEqual([false, false]);
  });

  it("agrees about depth", () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

    for (const depth of [63, 64, 65, 66])
      expect(ijsonDefect(nested(depth)) === null).toBe(jsonDefect(nested(depth)) === null);
  });
});

describe("describeThrown", () => {
  it("answers with plain strings for whatever was thrown", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => {
        const error = describeThrown(thrown);
        expect(typeof error.code).toBe("string");
        expect(error.message.isWellFormed()).toBe(true);
      }),
    );
  });

  it("tells a full memory from other range errors", () => {
    expect(describeThrown(new RangeError("Array buffer allocation failed")).code).toBe("STEP_OUT_OF_MEMORY");
    expect(describeThrown(new RangeError("Invalid array length")).code).toBe("STEP_FAILED");
  });
});

describe("seededFill", () => {
  const drawn = (sizes: readonly number[], place: [string, string, number] = ["s", "a", 0]): string => {
    const fill = seededFill(...place);
    return Buffer.concat(
      sizes.map((size) => {
        const bytes = new Uint8Array(size);
        fill(bytes);
        return bytes;
      }),
    ).toString("hex");
  };

  it("gives the same stream however it is drawn", () => {
    expect(drawn([1, 2, 3, 94])).toBe(drawn([100]));
  });

  it("differs by seed, step and item", () => {
    const streams = [drawn([32]), drawn([32], ["t", "a", 0]), drawn([32], ["s", "b", 0]), drawn([32], ["s", "a", 1])];

    expect(new Set(streams).size).toBe(4);
  });
});
