import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyPath, decodeDocument, misplacedPath, patternMatches } from "../../../src/spec/index.ts";
import { patternDefect } from "../../../src/spec/value/safe-pattern.ts";
import { rounds } from "../../support/effort.ts";

describe("classifyPath", () => {
  it.each([
    ["orrery.yaml", { kind: "Repository" }],
    ["sites/hq.yaml", { kind: "Site", site: "hq" }],
    ["tenants/acme/tenant.yaml", { kind: "Tenant", tenant: "acme" }],
    ["tenants/acme/quota.yaml", { kind: "Quota", tenant: "acme" }],
    ["tenants/acme/allowlist.yaml", { kind: "Allowlist", tenant: "acme" }],
    ["tenants/a/dags/nightly-vex.yaml", { kind: "Dag", tenant: "a", dagId: "nightly-vex" }],
    ["plugins/core.log/1.0.0/plugin.yaml", { kind: "Plugin", tenant: null, name: "core.log", version: "1.0.0" }],
    [
      "tenants/acme/plugins/acme.own/10.2.3/plugin.yaml",
      { kind: "Plugin", tenant: "acme", name: "acme.own", version: "10.2.3" },
    ],
  ])("%s is a document", (path, expected) => {
    expect(classifyPath(path)).toEqual({ path, ...expected });
  });

  it.each([
    "README.md",
    "tenants/acme/dags/Nightly.yaml",
    "tenants/acme/dags/nightly.yml",
    "tenants/acme/dags/sub/nightly.yaml",
    "tenants/Acme/dags/nightly.yaml",
    "tenants/_site/tenant.yaml",
    "tenants/acme/dags/-x.yaml",
    `tenants/acme/dags/${"a".repeat(64)}.yaml`,
    "plugins/core.log/1.0/plugin.yaml",
    "plugins/core.log/01.0.0/plugin.yaml",
    "plugins/core/1.0.0/plugin.yaml",
    "tenants/acme/files/dags/x.yaml",
    "tenants/../sites/hq.yaml",
    "sites/hq.yaml\n",
  ])("%j is none", (path) => {
    expect(classifyPath(path)).toBeNull();
  });
});

describe("misplacedPath", () => {
  it.each([
    ["tenants/acme/dags/nightly.yml", ".yaml"],
    ["tenants/acme/dags/Nightly.yaml", "lower-case"],
    ["tenants/acme/dag/nightly.yaml", "not read"],
    ["tenants/acme/quotas.yaml", "not read"],
    ["plugins/core.log/1.0/plugin.yaml", "not read"],
    ["sites/eu/hq.yaml", "not read"],
    ["orery.yaml", "not read"],
  ])("says why %s is not read", (path, words) => {
    expect(misplacedPath(path)?.message).toContain(words);
    expect(decodeDocument({ path, bytes: new Uint8Array() })).toMatchObject({
      ok: false,
      findings: [{ code: "SPEC_PATH", path }],
    });
  });

  it.each([
    "README.md",
    ".github/workflows/ci.yaml",
    "tenants/acme/files/x.yaml",
    "keys/spec_signers",
    "docs/a.yaml",
    "renovate.yaml",
    "orrery.yaml",
  ])("has nothing to say of %s", (path) => {
    expect(misplacedPath(path)).toBeNull();
  });
});

describe("patternMatches", () => {
  it.each<[string, string, boolean]>([
    ["vex/**", "vex/a.json", true],
    ["vex/**", "vex/a/b/c.json", true],
    ["vex/**", "vex", false],
    ["**", "a", true],
    ["**/a.json", "a.json", true],
    ["**/a.json", "x/y/a.json", true],
    ["a/**/b", "a/b", true],
    ["a/**/b", "a/x/y/b", true],
    ["a/**/b/**/c", "a/b/x/b/c", true],
    ["*.json", "a.json", true],
    ["*.json", "x/a.json", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a?c", "a/c", false],
    ["*", ".hidden", true],
    ["a*b*c", "axxbyyc", true],
    ["a*b*c", "axxbyy", false],
    ["[a]", "a", false],
    ["[a]", "[a]", true],
    ["a.b", "axb", false],
  ])("%s on %s: %s", (pattern, path, expected) => {
    expect(patternMatches(pattern, path)).toBe(expected);
  });

  it("agrees with a regular expression made from the pattern", () => {
    const segment = fc.stringMatching(/^[ab]{1,3}$/);
    const glob = fc.oneof(
      fc.constant("**"),
      fc.stringMatching(/^[ab?*]{1,4}$/).filter((text) => !text.includes("**")),
    );
    fc.assert(
      fc.property(
        fc.array(glob, { minLength: 1, maxLength: 5 }),
        fc.array(segment, { minLength: 1, maxLength: 6 }),
        (globs, names) => {
          expect(patternMatches(globs.join("/"), names.join("/"))).toBe(oracle(globs).test(`${names.join("/")}/`));
        },
      ),
      { numRuns: rounds(3000, 75000) },
    );
  });

  it("takes bounded time where a backtracking matcher would not end", () => {
    const startMs = performance.now();

    expect(patternMatches(`${"**/a*a*a*a*b/".repeat(8)}c`, `${`${"a".repeat(200)}/`.repeat(200)}d`)).toBe(false);

    expect(performance.now() - startMs).toBeLessThan(1000);
  });
});

function oracle(globs: readonly string[]): RegExp {
  const parts = globs.map((glob, index) => {
    if (glob === "**") return index === globs.length - 1 ? "(?:[^/]+/)+" : "(?:[^/]+/)*";
    return `${glob.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}/`;
  });
  return new RegExp(`^${parts.join("")}$`);
}

describe("a pattern of a schema", () => {
  it.each([
    "^[0-9a-f]{64}$",
    "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    "^pkg:[a-z]+/.{1,50}$",
    "^(low|medium|high)$",
    "abc",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "^[^/]*$",
    "^a\\.b\\[c\\]$",
    "",
  ])("%s is accepted", (pattern) => {
    expect(patternDefect(pattern)).toBeNull();
  });

  it.each([
    ["^(a+)+$", "nested repetition"],
    ["^(a|a)*$", "repeated alternatives"],
    ["^a*a*$", "two repetitions without bound"],
    ["a*b", "no anchor"],
    ["^a*b|c*d", "an anchor on one side only"],
    ["^(?=a)b$", "a look-ahead"],
    ["^(?<x>a)\\1$", "a named group"],
    ["^(a)\\1$", "a back reference"],
    ["^a{0,1000}b{0,1000}$", "too many ways"],
    ["^(a?){50}$", "a repeated choice"],
    ["[a", "no regular expression"],
    ["(", "no regular expression"],
    ["^\\p{L}+$", "a property class"],
  ])("%s is refused: %s", (pattern) => {
    expect(patternDefect(pattern)).not.toBeNull();
  });

  it("answers any accepted pattern on a long text at once", () => {
    const atoms = fc.constantFrom("a", "[ab]", ".", "(a|b)", "(ab)?", "a?", "a*", "a{0,5}", "b{2}", "(?:a)", "\\w");
    fc.assert(
      fc.property(fc.array(atoms, { minLength: 1, maxLength: 8 }), fc.boolean(), (parts, anchored) => {
        const pattern = (anchored ? "^" : "") + parts.join("");
        if (patternDefect(pattern) !== null) return;
        const startMs = performance.now();
        new RegExp(pattern, "u").test(`${"a".repeat(20_000)}c`);
        expect(performance.now() - startMs).toBeLessThan(500);
      }),
      { numRuns: rounds(500, 12500) },
    );
  });
});
