import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Scalar, stringify } from "yaml";
import { decodeDocument } from "../../../src/spec/index.ts";
import { bytesOf, dagText, lint } from "../../support/spec-fixtures.ts";

const styles = [
  Scalar.PLAIN,
  Scalar.QUOTE_SINGLE,
  Scalar.QUOTE_DOUBLE,
  Scalar.BLOCK_FOLDED,
  Scalar.BLOCK_LITERAL,
] as const;

describe("places of expressions within texts", () => {
  it("law: in any style of YAML the finding stands at the name, or at the text where it is broken up", () => {
    let exact = 0;
    let count = 0;
    const around = fc.string({
      unit: fc.constantFrom("a", "b", " ", "\n", "'", '"', "\\", "é", "😀", "日", "#", ":"),
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        around,
        around,
        fc.constantFrom(...styles),
        fc.constantFrom(20, 80, 0),
        (before, after, style, lineWidth) => {
          const value = new Scalar(`x${before}\${{ inputs.nope }}${after}y`);
          value.type = style;
          const written = stringify(
            { steps: { a: { uses: "core.log@1.0.0", with: { message: value } } } },
            { lineWidth },
          );
          const text = dagText(written.trimEnd());

          // yaml writes some plain texts that it would not read.
          fc.pre(decodeDocument({ path: "tenants/acme/dags/sample.yaml", bytes: bytesOf(text) }).ok);
          const found = lint(text).filter(({ code }) => code === "EXPR_REFERENCE");

          expect(found).toHaveLength(1);
          const { line, col } = found[0] ?? { line: 0, col: 0 };
          const rest = text.split("\n")[line - 1]?.slice(col - 1) ?? "";
          count += 1;
          if (rest.startsWith("inputs.nope")) exact += 1;
          else expect(["|", ">", "'", '"', "x", "$"].some((mark) => rest.startsWith(mark))).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
    expect(exact / count).toBeGreaterThan(0.6);
  });
});
