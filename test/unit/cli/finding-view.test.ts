import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderFinding, summaryOf } from "../../../src/cli/finding-view.ts";
import { cloneCommands } from "../../../src/cli/init-view.ts";
import { shellWord } from "../../../src/cli/shell-word.ts";
import type { Finding } from "../../../src/spec/index.ts";

const finding: Finding = {
  ...{ code: "DAG_CYCLE", severity: "error", path: "tenants/acme/dags/a.yaml", line: 2, col: 5 },
  ...{ pointer: "", message: "a cycle", fix: "Remove it." },
};

describe("a finding for people", () => {
  it("has place, severity, number, name, the line with a caret, and the fix", () => {
    expect(renderFinding(finding, () => "one\ntwo a\nthree")).toBe(
      [
        "tenants/acme/dags/a.yaml:2:5 error ORY2101 DAG_CYCLE a cycle",
        "    2 | two a",
        "      |     ^",
        "    fix: Remove it.",
      ].join("\n"),
    );
  });

  it("without a place, or where the text is gone, shows no line", () => {
    expect(renderFinding({ ...finding, line: 0, col: 0 }, () => "x").split("\n")).toHaveLength(2);
    expect(renderFinding(finding, () => null).split("\n")).toHaveLength(2);
    expect(renderFinding({ ...finding, line: 9 }, () => "x").split("\n")).toHaveLength(2);
  });

  it("law: the caret stands below the column, no line is long, no control character gets out", () => {
    const line = fc.string({ unit: "binary", maxLength: 400 }).map((text) => text.replaceAll("\n", " "));
    fc.assert(
      fc.property(line, fc.integer({ min: 1, max: 400 }), (text, col) => {
        const shown = renderFinding({ ...finding, line: 1, col }, () => text).split("\n");

        expect(shown).toHaveLength(4);
        const [, source = "", caret = ""] = shown;
        expect(source.length).toBeLessThanOrEqual(128);
        expect(source).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
        if (col <= 120) expect(caret.indexOf("^")).toBe("    1 | ".length + col - 1);
        else expect(caret.indexOf("^")).toBe("    1 | ".length + 59);
      }),
    );
  });

  it("the sum names only what there is", () => {
    expect(summaryOf([], 3)).toBe("nothing found in 3 documents");
    expect(summaryOf([finding, { ...finding, severity: "denied" }], 1)).toBe("1 error, 1 denied in 1 documents");
  });
});

describe("words for a shell", () => {
  it("law: a word is one word, whatever it holds", () => {
    // POSIX: within single quotes nothing is special; the only way out is '\''.
    const read = (word: string): string =>
      word.startsWith("'") ? word.slice(1, -1).replaceAll(String.raw`'\''`, "'") : word;
    fc.assert(
      fc.property(fc.string(), (text) => {
        const word = shellWord(text);
        expect(read(word)).toBe(text);
        expect(word.startsWith("'") || /^[-\w./:@%+=,]+$/u.test(word)).toBe(true);
      }),
    );
  });

  it("a name with a quote cannot end the command that sets it", () => {
    const [, name] = cloneCommands({
      ...{ repository: "/r", clone: "/c", personKey: { gitSetting: "/k" } },
      person: { name: "O'Hara; rm -rf /", principal: "o@x.example" },
    });

    expect(name).toBe(String.raw`git config user.name 'O'\''Hara; rm -rf /'`);
  });
});
