import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { decodeDocument, fixDocument } from "../../../src/spec/index.ts";
import { rounds } from "../../support/effort.ts";
import { bytesOf, dagText, exampleBytes, marked } from "../../support/spec-fixtures.ts";

const dagPath = "tenants/acme/dags/sample.yaml";
const pluginPath = "plugins/core.log/1.0.0/plugin.yaml";
const digest = "ab".repeat(32);

const fix = (text: string, path = dagPath): string | null =>
  fixDocument({ path, text, sha256OfBytes: path === pluginPath ? digest : null })?.text ?? null;
const isGood = (text: string, path = dagPath): boolean => decodeDocument({ path, bytes: bytesOf(text) }).ok;

const good = dagText(
  "steps:\n  collect: { uses: core.files@1.0.0 }\n  link: { uses: core.log@1.0.0, needs: [collect] }",
);

describe("a safe fix", () => {
  it.each<[string, string, string]>([
    ["corrects a misspelt key", "spec:\n  timout: 5m # five\n", "spec:\n  timeout: 5m # five\n"],
    ["corrects a key's case", "spec:\n  Timeout: 5m\n", "spec:\n  timeout: 5m\n"],
    ["corrects a quoted key", 'spec:\n  "timout": 5m\n', "spec:\n  timeout: 5m\n"],
    ["corrects a key within a misspelt key", "spec:\n  concurency: { mx: 1 }\n", "spec:\n  concurrency: { max: 1 }\n"],
  ])("%s", (_what, written, fixed) => {
    const rest = "  steps:\n    a: { uses: core.log@1.0.0 }\n";

    expect(fix(`apiVersion: orrery/v1\nkind: Dag\n${written}${rest}`)).toBe(
      `apiVersion: orrery/v1\nkind: Dag\n${fixed}${rest}`,
    );
  });

  it.each<[string, string, string]>([
    ["both", "# why\n\nspec:\n", "# why\n\napiVersion: orrery/v1\nkind: Dag\nspec:\n"],
    ["kind", "apiVersion: orrery/v1 # first\nspec:\n", "apiVersion: orrery/v1 # first\nkind: Dag\nspec:\n"],
    ["apiVersion", "kind: Dag\nspec:\n", "apiVersion: orrery/v1\nkind: Dag\nspec:\n"],
    ["its case", "apiVersion: orrery/v1\nkind: dag\nspec:\n", "apiVersion: orrery/v1\nkind: Dag\nspec:\n"],
    ["apiVersion's case", "apiversion: orrery/v1\nkind: Dag\nspec:\n", "apiVersion: orrery/v1\nkind: Dag\nspec:\n"],
    ["both in a file of Windows", "spec:\r\n", "apiVersion: orrery/v1\r\nkind: Dag\r\nspec:\r\n"],
  ])("gives the document what its path calls for: %s", (_what, written, fixed) => {
    const rest = "  steps: { a: { uses: core.log@1.0.0 } }\n";

    expect(fix(written + rest)).toBe(fixed + rest);
  });

  it("removes needs that stand twice, in a flow list and in a block list, with what belongs to them", () => {
    const text = dagText(
      "steps:\n  a: { uses: core.log@1.0.0 }\n  b: { uses: core.log@1.0.0, needs: [a, a , a] }\n  c:\n    uses: core.log@1.0.0\n    needs:\n      - a # why\n      - b\n      - a\n",
    );

    const fixed = fix(text);

    expect(fixed).toBe(text.replace("[a, a , a]", "[a]").replace("        - b\n        - a\n", "        - b\n"));
  });

  it("takes the hyphen out of a step's name wherever it is named", () => {
    const text = dagText(
      [
        "steps:",
        "  get-docs: { uses: core.files@1.0.0 } # the get-docs of old",
        "  link:",
        "    needs: [get-docs]",
        "    uses: core.log@1.0.0",
        "    when: \"${{ steps.get-docs.status == 'succeeded' && steps['get-docs'].outputs.n > 0 }}\"",
        '    with: { message: "steps.get-docs.outputs: ${{ steps.get-docs.outputs.n }}" }',
        "finally:",
        "  end-it: { uses: core.log@1.0.0 }",
      ].join("\n"),
    );

    const fixed = fix(text) ?? "";

    expect(fixed).toContain("  get_docs: { uses: core.files@1.0.0 } # the get-docs of old");
    expect(fixed).toContain("needs: [get_docs]");
    expect(fixed).toContain("steps.get_docs.status == 'succeeded' && steps.get_docs.outputs.n > 0");
    expect(fixed).toContain('"steps.get-docs.outputs: ${{ steps.get_docs.outputs.n }}"');
    expect(fixed).toContain("  end_it:");
    expect(isGood(fixed)).toBe(true);
  });

  it("takes it out of needs as well where that key is misspelt itself", () => {
    const text = dagText(
      "steps:\n  a-b: { uses: core.log@1.0.0 }\n  c: { uses: core.log@1.0.0, nedds: [a-b] }\n  d: { uses: core.log@1.0.0, need: a-b }",
    );

    const fixed = fix(text) ?? "";

    expect(fixed).toContain("needs: [a_b]");
    expect(fixed).toContain("needs: a_b");
    expect(isGood(fixed)).toBe(true);
  });

  it("writes the digest of the bytes that are there", () => {
    const text =
      "apiVersion: orrery/v1\nkind: Plugin\nspec:\n  # ours\n  service: core\n  emits: raw\n  input: { type: object }\n  output: { type: object }\n";

    expect(fix(text, pluginPath)).toBe(text.replace("  service", `  sha256: "${digest}"\n  service`));
  });
});

describe("what is not sure is left", () => {
  it.each([
    ["a word of another tool", good.replace("needs:", "depends_on:")],
    ["a key whose right spelling is there already", `${good}  timeout: 5m\n  timout: 6m\n`],
    ["another kind", good.replace("kind: Dag", "kind: Quota")],
    ["another apiVersion", good.replace("orrery/v1", "orrery/v2")],
    [
      "a step's name that is taken without hyphen",
      dagText("steps:\n  a-b: { uses: core.log@1.0.0 }\n  a_b: { uses: core.log@1.0.0 }"),
    ],
    ["a duration without unit", `${good}  timeout: 30\n`],
    ["a duplicate key", `${good}  timeout: 5m\n  timeout: 6m\n`],
    ["what does not parse", "spec: [\n"],
    ["what is right", good],
  ])("%s", (_what, text) => {
    expect(fix(text)).toBeNull();
  });

  it("a key whose right name only shows another defect, beside one that stays", () => {
    expect(fix(dagText("timeot: 5\nzzz: 1\nsteps:\n  a: { uses: core.log@1.0.0 }"))).toBeNull();
  });

  it("a digest that differs: the bytes may be what is wrong", () => {
    const text = `apiVersion: orrery/v1\nkind: Plugin\nspec:\n  service: core\n  emits: raw\n  sha256: "${"0".repeat(64)}"\n  input: { type: object }\n  output: { type: object }\n`;

    expect(fix(text, pluginPath)).toBeNull();
  });
});

describe("laws of the fixes", () => {
  const folder = new URL("../../vectors/bad-specs/", import.meta.url);
  const corpus = readdirSync(folder).flatMap(
    (file) => parse(readFileSync(new URL(file, folder), "utf8")) as readonly { path?: string; text: string }[],
  );
  const findings = (path: string, text: string): number => {
    const decoded = decodeDocument({ path, bytes: bytesOf(text) });
    return decoded.ok ? 0 : decoded.findings.length;
  };

  it("a second run changes nothing, and no comment is lost, for every document of the corpus", () => {
    let fixed = 0;
    for (const { path = dagPath, text: source } of corpus) {
      const { text } = marked(source);
      const once = fix(text, path);
      if (once === null) continue;
      fixed += 1;
      expect(fix(once, path)).toBeNull();
    }
    expect(fixed).toBeGreaterThan(5);
  });

  it("a good document that lost or changed some of its letters comes back with fewer findings or not at all", () => {
    const valid = Buffer.from(exampleBytes("tenants/acme/dags/nightly-vex.yaml")).toString("utf8");
    const slip = fc.record({
      at: fc.nat({ max: valid.length - 1 }),
      drop: fc.nat({ max: 2 }),
      insert: fc.constantFrom("", "a", "-", "_", "S", " "),
    });
    fc.assert(
      fc.property(fc.array(slip, { minLength: 1, maxLength: 3 }), (slips) => {
        let text = valid;
        for (const { at, drop, insert } of slips) text = text.slice(0, at) + insert + text.slice(at + drop);
        const once = fix(text);
        if (once === null) return;
        expect(findings(dagPath, once)).toBeLessThanOrEqual(findings(dagPath, text));
        expect(fix(once)).toBeNull();
      }),
      { numRuns: rounds(150, 5000) },
    );
  });
});
