import { describe, expect, it } from "vitest";
import { decodeDocument } from "../../../src/spec/index.ts";

function findingsOf(match: string): readonly string[] {
  const text =
    "apiVersion: orrery/v1\nkind: Repository\nspec:\n  trust:\n    paths:\n" +
    `      - { match: ${JSON.stringify(match)}, by: everyone }\n`;
  const decoded = decodeDocument({ path: "orrery.yaml", bytes: Buffer.from(text) });
  return decoded.ok ? [] : decoded.findings.map(({ code, line }) => `${code} ${String(line)}`);
}

describe("a pattern of trust.paths that would match nothing, so that its paths fall to the next rule, is refused", () => {
  it.each([
    "!keys/**",
    "keys/[a-z]*",
    "keys/\\*",
    "/keys/**",
    "keys/",
    "keys//x",
    "./keys/**",
    "a/../keys",
    "keys/**x",
    "{keys",
  ])("%s", (match) => {
    expect(findingsOf(match)).toEqual(["TRUST_RULE 6"]);
  });

  it.each(["keys/**", "{orrery.yaml,keys/**}", "**", "tenants/*/dags/a?.yaml", "docs/!read"])("but not %s", (match) => {
    expect(findingsOf(match)).toEqual([]);
  });
});
