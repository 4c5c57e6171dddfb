import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineDiff } from "../../../src/cli/fmt/line-diff.ts";

/** What is left of a text when the hunks of a diff are applied to it, line by line. */
function patched(before: string, diff: readonly string[]): string {
  const lines = before.split("\n");
  const out: string[] = [];
  let at = 0;
  for (const row of diff) {
    const start = /^@@ -(\d+),(\d+) /.exec(row);
    if (start !== null) {
      const first = Number(start[1]) - (start[2] === "0" ? 0 : 1);
      while (at < first) out.push(lines[at++] ?? "");
    } else if (row.startsWith("+")) out.push(row.slice(1));
    else {
      expect(lines[at]).toBe(row.slice(1));
      if (row.startsWith(" ")) out.push(lines[at] ?? "");
      at += 1;
    }
  }
  return [...out, ...lines.slice(at)].join("\n");
}

const text = fc
  .array(fc.constantFrom("a", "b", "c", "", "+", "- x"), { maxLength: 30 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

describe("a unified diff", () => {
  it("shows three lines around each change, and joins what touches", () => {
    const before = Array.from({ length: 20 }, (_, i) => `${String(i)}\n`).join("");

    expect(lineDiff(before, before.replace("\n4\n", "\nfour\n").replace("\n17\n", "\n"))).toEqual([
      ...["@@ -2,7 +2,7 @@", " 1", " 2", " 3", "-4", "+four", " 5", " 6", " 7"],
      ...["@@ -15,6 +15,5 @@", " 14", " 15", " 16", "-17", " 18", " 19"],
    ]);
  });

  it("says where a line end is missing", () => {
    expect(lineDiff("a", "a\n")).toEqual(["@@ -1,1 +1,1 @@", "-a", "\\ No newline at end of file", "+a"]);
  });

  it("law: applied to the one text it gives the other; nothing for equal ones", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = lineDiff(before, after);

        expect(patched(before, diff)).toBe(after);
        expect(lineDiff(after, after)).toEqual([]);
      }),
    );
  });

  it("ten thousand changed lines end soon", () => {
    const big = (word: string): string => Array.from({ length: 10_000 }, (_, i) => `${word} ${String(i)}\n`).join("");
    const started = performance.now();

    expect(lineDiff(big("a"), big("b"))).toHaveLength(20_001);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
