import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderFinding } from "../../../src/cli/finding-view.ts";
import { githubCommand } from "../../../src/cli/lint/github-commands.ts";
import { type PlacedFinding, ruleText } from "../../../src/cli/lint/lint-view.ts";
import { renderSarif } from "../../../src/cli/lint/sarif.ts";

const finding: PlacedFinding = {
  ...{ code: "ENDPOINT_NOT_ALLOWED", severity: "denied", path: "tenants/acme/dags/a b.yaml", line: 9, col: 17 },
  ...{ pointer: "/spec/steps/a/network/0", message: "50% of it, is: not\ngranted", fix: "Ask." },
  rule: {
    ...{ path: "tenants/acme/allowlist.yaml", line: 4, col: 3, pointer: "/spec/endpoints" },
    ...{
      commit: "0123456789abcdef0123456789abcdef01234567",
      changedBy: ["ana@acme.example", "omar@hq.example"],
      approvals: 0,
    },
  },
};
const plain: PlacedFinding = { ...finding, code: "SPEC_YAML", severity: "error", line: 0, col: 0, rule: null };

// What sarif-schema-2.1.0 requires of the parts that are used here.
const text = { type: "object", required: ["text"], properties: { text: { type: "string" } } };
const place = {
  type: "object",
  required: ["physicalLocation"],
  properties: {
    physicalLocation: {
      type: "object",
      required: ["artifactLocation"],
      properties: {
        artifactLocation: {
          type: "object",
          required: ["uri"],
          properties: { uri: { type: "string", pattern: "^[^ \\\\]+$" }, uriBaseId: { enum: ["SRCROOT"] } },
        },
        region: {
          type: "object",
          required: ["startLine", "startColumn"],
          properties: { startLine: { type: "integer", minimum: 1 }, startColumn: { type: "integer", minimum: 1 } },
        },
      },
    },
  },
};
const isSarif = new Ajv({ strict: false }).compile({
  type: "object",
  required: ["version", "runs"],
  properties: {
    version: { const: "2.1.0" },
    runs: {
      type: "array",
      items: {
        type: "object",
        required: ["tool", "results"],
        properties: {
          columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
          tool: {
            type: "object",
            required: ["driver"],
            properties: {
              driver: {
                type: "object",
                required: ["name", "rules"],
                properties: {
                  rules: {
                    type: "array",
                    uniqueItems: true,
                    items: { type: "object", required: ["id"], properties: { shortDescription: text, help: text } },
                  },
                },
              },
            },
          },
          results: {
            type: "array",
            items: {
              type: "object",
              required: ["message", "ruleId", "ruleIndex", "level"],
              properties: {
                message: text,
                level: { enum: ["none", "note", "warning", "error"] },
                locations: { type: "array", items: place },
                relatedLocations: { type: "array", items: place },
              },
            },
          },
        },
      },
    },
  },
});

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly { readonly ruleId: string; readonly ruleIndex: number; readonly level: string }[];
  }[];
}

describe("findings as SARIF 2.1.0", () => {
  it("hold the required parts, relative places, and the rule that refused", () => {
    const rendered = renderSarif([finding, plain, finding]);

    const sarif = JSON.parse(rendered) as Sarif;
    expect(isSarif(sarif), JSON.stringify(isSarif.errors)).toBe(true);
    expect(rendered).toContain("tenants/acme/dags/a%20b.yaml");
    expect(rendered).toContain("tenants/acme/allowlist.yaml:4 (commit 0123456789ab)");
  });

  it("name each rule once, and each result points at its own", () => {
    const [run] = (JSON.parse(renderSarif([finding, plain, finding])) as Sarif).runs;

    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(["ORY2001", "ORY3002"]);
    for (const { ruleId, ruleIndex } of run?.results ?? []) {
      expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    }
  });

  it("are a run without results where nothing was found", () => {
    expect(isSarif(JSON.parse(renderSarif([])))).toBe(true);
  });
});

describe("findings as GitHub workflow commands", () => {
  it("are written as its toolkit escapes them", () => {
    expect(githubCommand(finding)).toBe(
      "::error file=tenants/acme/dags/a b.yaml,line=9,col=17,title=ORY3002 ENDPOINT_NOT_ALLOWED::" +
        "50%25 of it, is: not\\u{a}granted%0Afix: Ask.%0Arule: tenants/acme/allowlist.yaml:4 (commit 0123456789ab); " +
        "may be changed by ana@acme.example, omar@hq.example",
    );
    expect(githubCommand({ ...plain, path: "a:b,c.yaml", message: "x" })).toContain("file=a%3Ab%2Cc.yaml,title=");
  });

  it("law: one finding is one line, and no text of a spec begins a second command", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (path, message) => {
        const command = githubCommand({ ...finding, path, message });

        expect(command).not.toMatch(/[\r\n]/);
        expect(command.startsWith("::error file=")).toBe(true);
      }),
    );
  });
});

describe("the rule that refused", () => {
  it("is named with its commit and who may change it", () => {
    expect(ruleText({ ...finding, rule: finding.rule && { ...finding.rule, commit: null } })).toContain(
      "not committed",
    );
    expect(ruleText({ ...finding, rule: finding.rule && { ...finding.rule, line: 0 } })).toContain("is not there");
    expect(ruleText({ ...finding, rule: finding.rule && { ...finding.rule, changedBy: [] } })).toContain("nobody");
    expect(ruleText({ ...finding, rule: finding.rule && { ...finding.rule, approvals: 1 } })).toContain(
      "1 approval of",
    );
    expect(ruleText(plain)).toContain("orrery explain ORY2001");
    const many = Array.from({ length: 9 }, (_, n) => `p${String(n)}`);
    expect(ruleText({ ...finding, rule: finding.rule && { ...finding.rule, changedBy: many } })).toContain("5 more");
  });

  it("the line that holds a secret is not shown", () => {
    const shown = renderFinding({ ...plain, code: "SECRET_IN_SPEC", line: 1, col: 1 }, () => "token: hunter2");

    expect(shown).not.toContain("hunter2");
  });
});
