import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { decodeDocument, formatDocument } from "../../../src/spec/index.ts";
import { bytesOf, lint, marked } from "../../support/spec-fixtures.ts";

const folder = new URL("../../vectors/bad-specs/", import.meta.url);
const corpus = readdirSync(folder).flatMap(
  (file) =>
    parse(readFileSync(new URL(file, folder), "utf8")) as readonly {
      readonly name: string;
      readonly path?: string;
      readonly text: string;
    }[],
);

/** What is said of a document, without its places. */
function said(path: string, text: string): readonly string[] {
  const decoded = decodeDocument({ path, bytes: bytesOf(text) });
  const findings = !decoded.ok ? decoded.findings : decoded.document.kind === "Dag" ? lint(text) : decoded.warnings;
  return findings.map(({ code, pointer, message }) => `${code} ${pointer} ${message}`).sort();
}

describe("the layout of the corpus of bad specs", () => {
  it("changes no finding but its place, and a layout is its own layout", () => {
    let count = 0;
    for (const { name, path = "tenants/acme/dags/sample.yaml", text: source } of corpus) {
      const { text } = marked(source);
      const once = formatDocument({ path, bytes: bytesOf(text) });
      if (!once.ok) continue;
      count += 1;
      const twice = formatDocument({ path, bytes: bytesOf(once.text) });
      expect([name, twice]).toEqual([name, once]);
      expect([name, said(path, once.text)]).toEqual([name, said(path, text)]);
    }
    expect(count).toBeGreaterThan(300);
  });

  it("keeps the blank line above a comment, and makes none", () => {
    for (const text of ["a: 1\n\n# of b\nb: 2\n", "a: 1\n# of b\nb: 2\n", "a:\n  b: 1\n\n  # of c\n\n  c: 2\n"])
      expect(formatDocument({ path: "x.yaml", bytes: bytesOf(text) })).toEqual({ ok: true, text });
  });
});
