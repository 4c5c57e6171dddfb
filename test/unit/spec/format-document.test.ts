import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Document, parseDocument, stringify, visit } from "yaml";
import { sha256 } from "../../../src/base/node-digest.ts";
import { decodeDocument, decodeYaml, formatDocument, specHashOf } from "../../../src/spec/index.ts";
import { rounds } from "../../support/effort.ts";
import { bytesOf } from "../../support/spec-fixtures.ts";

const path = "tenants/acme/dags/sample.yaml";

function formatted(text: string): string {
  const result = formatDocument({ path, bytes: bytesOf(text) });
  if (!result.ok) throw new Error(`${JSON.stringify(result.findings)}\n${text}`);
  return result.text;
}

const valueOf = (text: string): unknown => {
  const yaml = decodeYaml({ path, bytes: bytesOf(text) });
  return yaml.ok ? yaml.value : yaml.findings;
};

const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;

type Row = readonly [promise: string, before: string, after: string];

const rows: readonly Row[] = [
  ["two blanks a level", lines("a:", "     b:", "          c: 1"), lines("a:", "  b:", "    c: 1")],
  ["a list below its key", lines("a:", "- b", "-   c: 1", "    d: 2"), lines("a:", "  - b", "  - c: 1", "    d: 2")],
  ["a list in a list", lines("-   -  a", "    -  b"), lines("- - a", "  - b")],
  ["flow maps with blanks, flow lists without", "a: {b:   1,c: [ 1,2 , 3 ]}\n", "a: { b: 1, c: [1, 2, 3] }\n"],
  ["empty collections closed", "a: { }\nb: [  ]\n", "a: {}\nb: []\n"],
  ["one blank before a value", "a:    1\nb :  2\n", "a: 1\nb: 2\n"],
  ["a value behind its key or dash", lines("a:", "    1", "b:", "  -", "    c: 1"), lines("a: 1", "b:", "  - c: 1")],
  ["double quotes where they say the same", `a: 'x'\nb: 'it''s'\n`, `a: "x"\nb: "it's"\n`],
  ["single quotes where they do not", `a: 'say "x"'\nb: 'a\\d'\n`, `a: 'say "x"'\nb: 'a\\d'\n`],
  ["no blank at the end of a line, one line end at the end", "a: 1   \nb: 2\n\n\n", "a: 1\nb: 2\n"],
  ["one blank line at most, none at the top", "\n\na: 1\n\n\n\nb: 2\n", "a: 1\n\nb: 2\n"],
  ["line ends of Unix", "a: 1\r\nb: |\r\n  x\r\n  y\r\n", "a: 1\nb: |\n  x\n  y\n"],
  ["no document marks", "---\na: 1\n...\n", "a: 1\n"],
  [
    "comments two blanks behind, aligned",
    "a: 1 # x\nlonger: 2      # y\n\nb: 3 # z\n",
    "a: 1       # x\nlonger: 2  # y\n\nb: 3  # z\n",
  ],
  ["a comment behind a key where it is", "a: # why\n    b: 1\n", "a:  # why\n  b: 1\n"],
  [
    "a comment with what follows it, or deeper with what it ends",
    lines("a:", "    # of b", "    b: 1", "    # end of a", "# of c", "c:", "- 1", "# of 2", "- 2"),
    lines("a:", "  # of b", "  b: 1", "  # end of a", "# of c", "c:", "  - 1", "  # of 2", "  - 2"),
  ],
  [
    "texts over lines moved as a whole",
    lines("a:", "      |", "       one", "         two", "", "b: >-  # why", "    x", "", "    y"),
    lines("a: |", "  one", "    two", "", "b: >-  # why", "  x", "", "  y"),
  ],
  [
    "an explicit indentation kept",
    lines("a:", "     b: |2", "           x", "         y"),
    lines("a:", "  b: |2", "        x", "      y"),
  ],
  [
    "quoted and plain texts over lines",
    'a: "x\n        y"\nb: p\n        q\n\n        r\n',
    'a: "x\n  y"\nb: p\n  q\n\n  r\n',
  ],
  [
    "line ends within flow collections",
    lines("a: [", "   b,  # of b", "          {c: 1,", " d: 2}", "   ]"),
    lines("a: [", "    b,  # of b", "    { c: 1,", "      d: 2 }", "  ]"),
  ],
  [
    "apiVersion, kind, metadata, spec in this order, with the comments above each",
    lines("# file", "# of spec", "spec: {}", "# of kind", "kind: Dag  # k", "", "apiVersion: orrery/v1"),
    lines("# file", "# of spec", "apiVersion: orrery/v1", "# of kind", "kind: Dag  # k", "", "spec: {}"),
  ],
  [
    "any other order as it is",
    lines("kind: Dag", "other: 1", "apiVersion: x"),
    lines("kind: Dag", "other: 1", "apiVersion: x"),
  ],
  ["keys of a user's map never sorted", lines("spec:", "  b: 1", "  a: 2"), lines("spec:", "  b: 1", "  a: 2")],
];

describe("the canonical layout of a document", () => {
  it.each(rows)("has %s", (_promise, before, after) => {
    expect(formatted(before)).toBe(after);
    expect(formatted(after)).toBe(after);
    expect(valueOf(after)).toEqual(valueOf(before));
  });

  it("leaves alone what cannot be read, with the finding of the decoder", () => {
    const result = formatDocument({ path, bytes: bytesOf("a: 1\na: 2\n") });

    expect(result).toMatchObject({ ok: false, findings: [{ code: "SPEC_DUPLICATE_KEY", line: 2, col: 1 }] });
  });

  it("leaves alone a key written with a question mark, and names its place", () => {
    const result = formatDocument({ path, bytes: bytesOf("a: 1\n? b\n: 2\n") });

    expect(result).toMatchObject({ ok: false, findings: [{ code: "SPEC_LAYOUT", path, line: 2, col: 1 }] });
  });

  it("256 KiB of anything ends soon", () => {
    for (const text of ["- ", "a: ", "[", "# x\n", "\n", "{a: ", "'", "a:\n "]) {
      const started = performance.now();
      formatDocument({ path, bytes: bytesOf(text.repeat(Math.floor(262_000 / text.length))) });
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });
});

const example = new URL("../../../specs-example/", import.meta.url);
const corpus = readdirSync(example, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.replaceAll("\\", "/"));

/** The same document, carelessly written. */
const careless = (text: string, indent: number): string => {
  const document = parseDocument(text);
  visit(document, { Map: (_key, node) => void (node.flow = false), Seq: (_key, node) => void (node.flow = false) });
  return document.toString({ indent, indentSeq: false, lineWidth: 40, singleQuote: true });
};

describe("specs-example", () => {
  it.each(corpus)("%s stands in canonical layout", (name) => {
    const text = readFileSync(new URL(name, example), "utf8");

    expect(formatted(text)).toBe(text);
  });

  it.each(corpus)("%s keeps its hash, however it was written", (name) => {
    const text = readFileSync(new URL(name, example), "utf8");
    const hashOf = (source: string): string => {
      const decoded = decodeDocument({ path: name, bytes: bytesOf(source) });
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.findings));
      return specHashOf(decoded.document.specText, sha256);
    };

    for (const indent of [1, 3, 8]) {
      const written = careless(text, indent);
      expect(hashOf(formatted(written))).toBe(hashOf(text));
      expect(formatted(formatted(written))).toBe(formatted(written));
    }
  });
});

const word = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    "yes",
    "1:30",
    "~",
    "a: b",
    "- x",
    "#",
    "x # y",
    "'",
    '"',
    "two\nlines\n",
    "\n\nx",
    "  in",
    "${{ a }}",
  ),
);
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    word.filter((text) => text.isWellFormed() && !text.includes("\u0000")),
    fc.integer({ min: -1000, max: 1000 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_ :#-]{0,8}$/), tie("value"), { maxKeys: 4 }),
  ),
})).value;

const style = fc.record({
  indent: fc.integer({ min: 1, max: 9 }),
  indentSeq: fc.boolean(),
  singleQuote: fc.boolean(),
  lineWidth: fc.constantFrom(0, 20, 80),
  blockQuote: fc.constantFrom<true | false | "folded" | "literal">(true, false, "folded", "literal"),
  flowCollectionPadding: fc.boolean(),
});

/** Every node with a chance of a comment, a blank line before it, or the flow style. */
function decorated(value: unknown, bits: readonly number[], options: object): string {
  const document = new Document(value);
  let at = 0;
  const bit = (): number => bits[at++ % bits.length] ?? 0;
  visit(document, {
    Node: (_key, node) => {
      const chance = bit();
      if (chance === 1) node.commentBefore = " above";
      if (chance === 2) node.comment = " behind";
      if (chance === 3) node.spaceBefore = true;
      if (chance === 4 && "flow" in node) node.flow = true;
    },
  });
  return document.toString(options);
}

describe("laws of the layout", () => {
  it("the layout of a layout is itself, and both say what the source says, with its comments", {
    timeout: 120_000,
  }, () => {
    const bits = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(json, style, bits, (value, options, chances) => {
        const source = decorated(value, chances, options);
        // What the writer itself breaks is not this law's business.
        fc.pre(decodeYaml({ path, bytes: bytesOf(source) }).ok);
        const once = formatted(source);

        expect(formatted(once)).toBe(once);
        expect(valueOf(once)).toEqual(valueOf(source));
        expect(once.match(/# (above|behind)/g)?.length).toBe(source.match(/# (above|behind)/g)?.length);
        expect(once).toMatch(/^(?!\n)[^]*\n$/);
      }),
      { numRuns: rounds(1000, 50_000) },
    );
  });

  it("for any bytes: a layout that says the same, or findings", { timeout: 120_000 }, () => {
    const scraps = fc.constantFrom(
      "a",
      ":",
      " ",
      "  ",
      "\n",
      "- ",
      "#",
      " # c",
      "[",
      "]",
      "{",
      "}",
      ",",
      "'",
      '"',
      "|",
      ">",
      "|2",
      "+",
      "-",
      "? ",
      "\t",
      "\r\n",
      "b: ",
      "\\",
      "x y",
    );
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 30 }), (parts) => {
        const source = parts.join("");
        const result = formatDocument({ path, bytes: bytesOf(source) });

        if (!result.ok) {
          expect(result.findings).not.toEqual([]);
          // A text alone may become a document mark at the first column, and yaml takes an open quote at the end for closed.
          const value = valueOf(source);
          const isWhole = JSON.stringify(valueOf(`${source}\n`)) === JSON.stringify(value);
          if (isWhole && typeof value === "object")
            expect(result.findings.map(({ message }) => message).join()).not.toContain("would change");
          return;
        }
        expect(valueOf(result.text)).toEqual(valueOf(source));
        expect(formatted(result.text)).toBe(result.text);
      }),
      { numRuns: rounds(5000, 200_000) },
    );
  });

  it("stringify of any value has a layout", () => {
    fc.assert(
      fc.property(json, (value) => void formatted(stringify({ value }))),
      { numRuns: rounds(500, 20_000) },
    );
  });
});
