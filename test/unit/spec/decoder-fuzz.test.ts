import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDocument } from "../../../src/spec/index.ts";
import { rounds } from "../../support/effort.ts";
import { bytesOf, exampleBytes } from "../../support/spec-fixtures.ts";

const path = "tenants/acme/dags/sample.yaml";
/** Far above what any of these take (tens of ms); a quadratic reader takes minutes. */
const boundMs = 4000;

function timed(bytes: Uint8Array): { readonly ok: boolean; readonly ms: number; readonly codes: readonly string[] } {
  const startMs = performance.now();
  const result = decodeDocument({ path, bytes });
  const codes = result.ok ? [] : result.findings.map(({ code }) => code);
  return { ok: result.ok, ms: performance.now() - startMs, codes };
}

const fill = (text: string, count: number): string => text.repeat(count).slice(0, 256 * 1024);

describe("the decoder, given hostile bytes", () => {
  it.each([
    ["256 KiB of flow lists", fill("[", 262_144)],
    ["256 KiB of flow maps", fill("{", 262_144)],
    ["lists of lists on one line", fill("- ", 131_072)],
    ["explicit keys on one line", fill("? ", 131_072)],
    ["deep block maps", Array.from({ length: 600 }, (_, n) => `${" ".repeat(n)}a:`).join("\n")],
    ["10,000 keys", Array.from({ length: 10_000 }, (_, n) => `key${String(n)}: 1`).join("\n")],
    ["10,000 keys in a flow map", `{${Array.from({ length: 10_000 }, (_, n) => `k${String(n)}: 1`).join(", ")}}`],
    [
      "an alias bomb",
      `a: &a [x, x]\n${Array.from({ length: 30 }, (_, n) => `b${String(n)}: &b${String(n)} [*a, *a]`).join("\n")}`,
    ],
    ["quotes", fill('"', 262_144)],
    ["colons", fill(":", 262_144)],
    ["exclamation marks", fill("!", 262_144)],
    ["percent signs", fill("%", 262_144)],
    ["line ends", fill("\n", 262_144)],
    ["comments", fill("#\n", 131_072)],
    ["carriage returns", fill("\r", 262_144)],
    ["tabs", fill("\t", 262_144)],
    ["document ends", fill("---\n", 65_536)],
    ["a long folded text", `a: >\n${fill(" x\n\n", 60_000)}`],
    ["a long text of escapes", `a: "${fill("\\x41", 60_000)}"`],
    [
      "many needs",
      `apiVersion: orrery/v1\nkind: Dag\nspec: { steps: { a: { uses: core.log@1.0.0, needs: [${Array.from({ length: 6000 }, (_, n) => `s${String(n)}`).join(",")}] } } }`,
    ],
  ])("answers within its bound: %s", (_what, text) => {
    const { ok, ms, codes } = timed(bytesOf(text));

    expect(ok).toBe(false);
    expect(codes.length).toBeGreaterThan(0);
    expect(ms).toBeLessThan(boundMs);
  });

  it("answers for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(timed(bytes).ms).toBeLessThan(boundMs);
      }),
      { numRuns: rounds(400, 10000) },
    );
  });

  it("answers for any text of YAML's own marks", () => {
    const marks = fc.constantFrom(
      ..."-?:,[]{}#&*!|>'\"%@` \n\t\u0002\u0018\u001f\ufeffab1".split(""),
      "---",
      "...",
      "&a",
      "*a",
      "!!x",
      "<<",
      ": ",
      "- ",
      "  ",
    );
    fc.assert(
      fc.property(fc.array(marks, { maxLength: 300 }), (parts) => {
        expect(timed(bytesOf(parts.join(""))).ms).toBeLessThan(boundMs);
      }),
      { numRuns: rounds(1500, 37500) },
    );
  });

  it("answers for a valid document that lost, doubled or changed some of its bytes", () => {
    const valid = exampleBytes("tenants/acme/dags/nightly-vex.yaml");
    const edit = fc.record({
      at: fc.nat({ max: valid.length - 1 }),
      drop: fc.nat({ max: 20 }),
      insert: fc.oneof(
        fc.constantFrom("[", "{", "&a ", "*a", "${{", "}}", '"', "\t", "- ", ": "),
        fc.string({ maxLength: 8 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes = Buffer.from(valid);
        for (const { at, drop, insert } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + drop)]);
        }
        const { ok, ms, codes } = timed(bytes);
        expect(ms).toBeLessThan(boundMs);
        expect(ok || codes.length > 0).toBe(true);
      }),
      { numRuns: rounds(600, 15000) },
    );
  });

  it("pollutes no prototype", () => {
    const text =
      'apiVersion: orrery/v1\nkind: Dag\nspec:\n  steps:\n    a: { uses: core.log@1.0.0, with: { constructor: { prototype: { polluted: 1 } }, "__proto__": { polluted: 1 } } }\n';

    timed(bytesOf(text));

    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
