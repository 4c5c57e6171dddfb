import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellWidth } from "../../../src/cli/cell-width.ts";
import { renderFinding, summaryOf } from "../../../src/cli/finding-view.ts";
import { cloneCommands } from "../../../src/cli/init/init-view.ts";
import { shellWord } from "../../../src/cli/place/shell-word.ts";
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

  // What a terminal draws, by hand: one entry a cell, "" for what joins the character before.
  it.each([
    ["ASCII", "a: b", 4, 3],
    ["CJK, two cells each", "日本: b", 5, 6],
    ["full-width forms", "ａ： b", 4, 5],
    ["Hangul", "한국 b", 4, 5],
    ["an emoji, two cells and two UTF-16 units", "😀 b", 4, 3],
    ["an emoji beyond the first emoji block", "🪐🪐 b", 6, 5],
    ["a combining mark, no cell", "e\u0301 b", 4, 2],
    ["a zero-width space and a soft hyphen before 0x300", "\u200b b", 3, 1],
    ["a Latin letter with a mark of its own", "é b", 3, 2],
    ["a tab, shown as one blank", "a:\tb", 4, 3],
    ["a line end of Windows", "a: b\r", 4, 3],
    ["a byte order mark, which is in no column", "\ufeffa: b", 4, 3],
    ["an escape, shown as one blank", "\u001b b", 3, 2],
    ["a mark of direction, shown as one blank", "\u061c\u202e b", 4, 3],
    ["a place behind the end", "a", 4, 3],
  ])("the caret stands below its cell: %s", (_what, text, col, cells) => {
    const [, source = "", caret = ""] = renderFinding({ ...finding, line: 1, col }, () => text).split("\n");

    expect(caret.indexOf("^") - "    1 | ".length).toBe(cells);
    expect(source).not.toMatch(/[\p{Cc}\u061c\u202a-\u202e\ufeff]/u);
  });

  it("law: no line is long, no control character and no half of a pair gets out, the caret is below what it names", () => {
    const line = fc.string({ unit: "binary", maxLength: 400 }).map((text) => text.replaceAll(/[\nX]/g, " "));
    const marked = fc
      .tuple(line, line)
      .map(([before, after]) => ({ text: `${before}X${after}`, col: before.length + 1 }));
    fc.assert(
      fc.property(marked, ({ text, col }) => {
        const shown = renderFinding({ ...finding, line: 1, col }, () => text).split("\n");

        expect(shown).toHaveLength(4);
        const [, source = "", caret = ""] = shown;
        expect(source.length).toBeLessThanOrEqual(128);
        expect(source.isWellFormed()).toBe(true);
        expect(source).not.toMatch(/[\p{Cc}\u061c\u202a-\u202e]/u);
        expect(caret.indexOf("^")).toBe(cellWidth(source.slice(0, source.indexOf("X"))));
      }),
      { numRuns: 500 },
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
