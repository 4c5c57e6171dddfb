import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstLiteral, matchesGlob, matchesPatternList } from "../../../src/trust/signers/pattern-list.ts";

describe("a pattern list", () => {
  it.each([
    ["ana@acme.example", "ana@acme.example", true],
    ["ana@acme.example", "Ana@acme.example", false],
    ["ana@acme.example", "*@acme.example", true],
    ["ana@acme.example", "*@acme.example,!ana@*", false],
    ["ana@acme.example", "!ana@*,*", false],
    ["ana@acme.example", "!bob@*", false],
    ["ana@acme.example", "bob,an?@acme.example", true],
    ["git", "g*t", true],
    ["git", "git-receive", false],
    ["", "*", true],
    ["", "", true],
    ["a", "", false],
  ])("matches %s by %s: %s", (text, list, expected) => {
    expect(matchesPatternList(text, list)).toBe(expected);
  });

  it("agrees with a regular expression on every glob", () => {
    const word = fc.stringMatching(/^[ab.*?]{0,8}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[ab.]{0,8}$/), word, (text, glob) => {
        const regex = glob.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");

        expect(matchesGlob(text, glob)).toBe(new RegExp(`^${regex}$`, "s").test(text));
      }),
    );
  });

  it("of a hundred stars costs no more than text times pattern", () => {
    const started = performance.now();

    expect(matchesGlob("a".repeat(10_000), `${"*a".repeat(100)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("names its person by the first plain name", () => {
    expect(firstLiteral("*@acme.example,ana@acme.example,bob")).toBe("ana@acme.example");
    expect(firstLiteral("*@acme.example,!bob")).toBeNull();
  });
});
