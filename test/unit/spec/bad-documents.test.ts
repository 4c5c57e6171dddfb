import { describe, expect, it } from "vitest";
import { decodeDocument } from "../../../src/spec/index.ts";
import { bytesOf, marked } from "../../support/spec-fixtures.ts";

// Each text holds one `§` before the token that the finding must name.
type Row = readonly [promise: string, code: string, text: string];

const dag = (spec: string): string => `apiVersion: orrery/v1\nkind: Dag\nspec:\n${spec}`;
const one = "  steps:\n    a: { uses: core.log@1.0.0 }\n";
const step = (members: string): string => dag(`  steps:\n    a:\n      uses: core.log@1.0.0\n${members}`);
const schedule = (members: string): string => dag(`  schedules:\n    - ${members}\n${one}`);

const yamlRows: readonly Row[] = [
  ["refuses an empty file", "SPEC_YAML", "§"],
  ["refuses a file of comments", "SPEC_YAML", "§# nothing\n"],
  ["refuses a tab as indentation", "SPEC_YAML", "spec:\n§\tsteps: 1\n"],
  ["refuses an open flow list", "SPEC_YAML", "a: [1, 2\n§b: 3\n"],
  ["refuses an open quote", "SPEC_YAML", 'a: "x\n§'],
  ["refuses a second document", "SPEC_YAML", "a: 1\n§---\nb: 2\n"],
  ["refuses a list as key", "SPEC_YAML", "? §[a]\n: b\n"],
  ["refuses a wrong indentation", "SPEC_YAML", "a:\n    b: 1\n§  c: 2\n"],
  ["refuses a duplicate key", "SPEC_DUPLICATE_KEY", "a: 1\nb: 2\n§a: 3\n"],
  ["refuses a duplicate key in two spellings", "SPEC_DUPLICATE_KEY", '1: a\n§"1": b\n'],
  ["refuses a duplicate key in a flow map", "SPEC_DUPLICATE_KEY", "x: { a: 1, §a: 2 }\n"],
  ["refuses an anchor", "SPEC_YAML_FEATURE", "a: §&x 1\n"],
  ["refuses an alias", "SPEC_YAML_FEATURE", "a: §*x\n"],
  ["refuses an unknown tag", "SPEC_YAML_FEATURE", "a: §!foo x\n"],
  ["refuses a JavaScript tag", "SPEC_YAML_FEATURE", 'a: §!!js/function "x"\n'],
  ["refuses a binary tag", "SPEC_YAML_FEATURE", "a: §!!binary aGk=\n"],
  ["refuses a directive", "SPEC_YAML_FEATURE", "§%YAML 1.1\n---\na: 1\n"],
  ["refuses infinity", "SPEC_TYPE", "a: §.inf\n"],
  ["refuses what is no number", "SPEC_TYPE", "a: §.nan\n"],
  ["refuses an integer beyond 2^53", "SPEC_TYPE", "a: §12345678901234567890\n"],
  ["refuses U+0000 by escape", "SPEC_ENCODING", 'a: §"x\\0"\n'],
  ["refuses a lone surrogate", "SPEC_ENCODING", 'a: §"\\ud800"\n'],
  ["refuses U+0000 as it is", "SPEC_ENCODING", "a: x§\u0000\n"],
  ["refuses __proto__ as key", "SPEC_UNKNOWN_KEY", "a:\n  §__proto__: { polluted: true }\n"],
  ["refuses a flow list that nests too deep", "SPEC_TOO_LARGE", `a: ${"[".repeat(40)}§${"[".repeat(5000)}`],
  ["refuses a list of lists on one line", "SPEC_TOO_LARGE", `${"- ".repeat(40)}§${"- ".repeat(5000)}`],
];

const documentRows: readonly Row[] = [
  ["refuses a list as document", "SPEC_TYPE", "§- a\n"],
  ["refuses a text as document", "SPEC_TYPE", "§hello\n"],
  ["refuses another kind than the path's", "SPEC_KIND", "apiVersion: orrery/v1\nkind: §Quota\nspec: {}\n"],
  ["refuses an unknown kind", "SPEC_KIND", "apiVersion: orrery/v1\nkind: §Workflow\nspec: {}\n"],
  ["refuses another apiVersion", "SPEC_KIND", `apiVersion: §orrery/v2\nkind: Dag\nspec:\n${one}`],
  ["refuses a document without kind", "SPEC_MISSING_KEY", `§apiVersion: orrery/v1\nspec:\n${one}`],
  ["refuses a document without spec", "SPEC_MISSING_KEY", "§apiVersion: orrery/v1\nkind: Dag\n"],
  ["refuses a spec without steps", "SPEC_MISSING_KEY", "apiVersion: orrery/v1\nkind: Dag\n§spec: { rationale: x }\n"],
  ["refuses an empty spec", "SPEC_TYPE", "apiVersion: orrery/v1\nkind: Dag\n§spec:\n"],
  ["refuses steps at the top", "SPEC_UNKNOWN_KEY", `apiVersion: orrery/v1\nkind: Dag\n§steps: {}\nspec:\n${one}`],
  ["refuses an unknown key", "SPEC_UNKNOWN_KEY", dag(`  §colour: red\n${one}`)],
  ["refuses a misspelt key", "SPEC_UNKNOWN_KEY", dag(`  §timout: 5m\n${one}`)],
  ["refuses a merge key", "SPEC_UNKNOWN_KEY", dag(`  §<<: { timeout: 5m }\n${one}`)],
  [
    "refuses metadata that disagrees",
    "SPEC_PATH",
    `apiVersion: orrery/v1\nkind: Dag\nmetadata: { name: §other }\nspec:\n${one}`,
  ],
  [
    "refuses a version of what has none",
    "SPEC_PATH",
    `apiVersion: orrery/v1\nkind: Dag\nmetadata: { version: §1.0.0 }\nspec:\n${one}`,
  ],
  ["refuses no steps at all", "SPEC_TYPE", dag("  §steps: {}\n")],
  ["refuses a hyphen in a step id", "SPEC_TYPE", dag("  steps:\n    §a-b: { uses: core.log@1.0.0 }\n")],
  ["refuses an upper-case step id", "SPEC_TYPE", dag("  steps: { §Collect: { uses: core.log@1.0.0 } }\n")],
  ["refuses a step without plugin", "SPEC_MISSING_KEY", dag("  steps:\n    §a: { with: {} }\n")],
  ["refuses an empty step", "SPEC_TYPE", dag("  steps:\n    §a:\n")],
  ["refuses a plugin without version", "SPEC_TYPE", dag("  steps:\n    a: { uses: §core.log }\n")],
  ["refuses a plugin with a range", "SPEC_TYPE", dag("  steps:\n    a: { uses: §core.log@1.x }\n")],
  ["refuses a plugin of one word", "SPEC_TYPE", dag("  steps:\n    a: { uses: §log@1.0.0 }\n")],
  ["refuses a duration without unit", "SPEC_TYPE", dag(`  timeout: §30\n${one}`)],
  ["refuses a duration in words", "SPEC_TYPE", dag(`  timeout: §30 minutes\n${one}`)],
  ["refuses a negative duration", "SPEC_TYPE", dag(`  timeout: §-5m\n${one}`)],
  ["refuses a size in MB", "SPEC_TYPE", step("      limits: { memory: §128MB }\n")],
  ["refuses a condition without ${{ }}", "SPEC_TYPE", step("      when: §steps.a.outputs.x\n")],
  ["refuses a boolean as condition", "SPEC_TYPE", step("      when: §true\n")],
  ["refuses no attempt", "SPEC_TYPE", step("      retry: { maxAttempts: §0 }\n")],
  ["refuses half an attempt", "SPEC_TYPE", step("      retry: { maxAttempts: §1.5 }\n")],
  ["refuses an unknown error class", "SPEC_TYPE", step("      retry: { errors: [§flaky] }\n")],
  ["refuses a repeated need", "SPEC_TYPE", step("      needs: [b, §b]\n")],
  ["refuses a number as need", "SPEC_TYPE", step("      needs: [§3]\n")],
  ["refuses a file outside files/", "SPEC_TYPE", step("      files: [§../../orrery.yaml]\n")],
  ["refuses an absolute file", "SPEC_TYPE", step("      files: [§/etc/passwd]\n")],
  ["refuses an endpoint without port", "SPEC_TYPE", step("      network: [§notify.internal]\n")],
  ["refuses a port beyond 65535", "SPEC_TYPE", step('      network: [§"notify.internal:70000"]\n')],
  ["refuses an URL as endpoint", "SPEC_TYPE", step('      network: [§"https://notify.internal:443"]\n')],
  ["refuses isolation realm at a step", "SPEC_TYPE", step("      isolation: §realm\n")],
  ["refuses forEach without in", "SPEC_MISSING_KEY", step("      §forEach: { as: doc }\n")],
  ["refuses forEach over a plain text", "SPEC_TYPE", step("      forEach: { in: §documents }\n")],
  ["refuses too many items", "SPEC_TYPE", step("      forEach: { in: [1], maxItems: §100000 }\n")],
  ["refuses a schedule without time", "SCHEDULE_INVALID", schedule("§name: nightly")],
  ["refuses a schedule with two times", "SCHEDULE_INVALID", schedule('{ cron: "0 0 * * *", §every: 15m }')],
  ["refuses an unknown catch-up", "SPEC_TYPE", schedule("{ every: 15m, catchUp: { policy: §first } }")],
  [
    "refuses both forms of inputs",
    "SPEC_TYPE",
    dag(`  inputs: { a: { type: string } }\n  §inputsSchema: { type: object }\n${one}`),
  ],
  ["refuses an unknown input type", "SPEC_TYPE", dag(`  inputs: { a: { type: §text } }\n${one}`)],
  [
    "refuses a default that does not fit",
    "SPEC_TYPE",
    dag(`  inputs: { a: { type: integer, default: §many } }\n${one}`),
  ],
  ["refuses inputs that are no object", "SPEC_TYPE", dag(`  §inputsSchema: { type: array }\n${one}`)],
  [
    "refuses a reference in a schema",
    "SPEC_UNKNOWN_KEY",
    dag(`  inputsSchema: { type: object, properties: { a: { §$ref: "#" } } }\n${one}`),
  ],
  [
    "refuses a pattern that could hang",
    "SPEC_TYPE",
    dag(`  inputsSchema: { type: object, properties: { a: { type: string, pattern: §"^(a+)+$" } } }\n${one}`),
  ],
];

// What other tools call it: the key is refused, the fix says ours.
const foreignRows: readonly (readonly [word: string, text: string, ours: string])[] = [
  ["if", step("      §if: x\n"), "when"],
  ["depends_on", step("      §depends_on: b\n"), "needs"],
  ["dependsOn", step("      §dependsOn: b\n"), "needs"],
  ["matrix", step("      §matrix: {}\n"), "forEach"],
  ["run", step("      §run: echo\n"), "uses"],
  ["script", step("      §script: echo\n"), "uses"],
  ["env", step("      §env: {}\n"), "with"],
  ["retries", step("      §retries: 3\n"), "retry"],
  ["runs-on", step("      §runs-on: linux\n"), "sandbox"],
  ["image", step("      §image: alpine\n"), "sandbox"],
  ["timeout", step("      §timeout: 5s\n"), "limits"],
  ["continue-on-error", step("      §continue-on-error: true\n"), "continueOnError"],
  ["jobs", dag(`  §jobs: {}\n${one}`), "steps"],
  ["on", dag(`  §on: push\n${one}`), "schedules"],
  ["tz", schedule("{ every: 15m, §tz: UTC }"), "timezone"],
  ["catchup", schedule("{ every: 15m, §catchup: {} }"), "catchUp"],
];

const otherRows: readonly (readonly [path: string, ...Row])[] = [
  [
    "tenants/acme/quota.yaml",
    "refuses a start rate",
    "SPEC_UNKNOWN_KEY",
    "apiVersion: orrery/v1\nkind: Quota\nspec: { runs: { §startsPerHour: 3 } }\n",
  ],
  [
    "tenants/acme/quota.yaml",
    "refuses overrides",
    "SPEC_UNKNOWN_KEY",
    "apiVersion: orrery/v1\nkind: Quota\nspec: { §overrides: [] }\n",
  ],
  [
    "tenants/acme/allowlist.yaml",
    "refuses a star in the middle",
    "SPEC_TYPE",
    'apiVersion: orrery/v1\nkind: Allowlist\nspec: { plugins: [{ name: §"core.*x", versions: ["1.x"] }] }\n',
  ],
  [
    "tenants/acme/allowlist.yaml",
    "refuses a secret that no plugin may be lent",
    "SPEC_TYPE",
    "apiVersion: orrery/v1\nkind: Allowlist\nspec: { secrets: [{ name: notify_token, §for: [] }] }\n",
  ],
  [
    "tenants/acme/allowlist.yaml",
    "refuses port 0",
    "SPEC_TYPE",
    'apiVersion: orrery/v1\nkind: Allowlist\nspec: { endpoints: [{ host: a.b, port: §0, for: ["*"] }] }\n',
  ],
  [
    "tenants/acme/tenant.yaml",
    "refuses freeze windows",
    "SPEC_UNKNOWN_KEY",
    "apiVersion: orrery/v1\nkind: Tenant\nspec: { owners: [a], §freeze: [] }\n",
  ],
  [
    "tenants/acme/tenant.yaml",
    "refuses no owner",
    "SPEC_TYPE",
    "apiVersion: orrery/v1\nkind: Tenant\nspec: { §owners: [] }\n",
  ],
  [
    "orrery.yaml",
    "refuses authority paths",
    "SPEC_UNKNOWN_KEY",
    "apiVersion: orrery/v1\nkind: Repository\nspec: { trust: { §paths: [] } }\n",
  ],
  [
    "orrery.yaml",
    "refuses 101 percent",
    "SPEC_TYPE",
    "apiVersion: orrery/v1\nkind: Repository\nspec: { brakes: { prunePercent: §101 } }\n",
  ],
  [
    "sites/hq.yaml",
    "refuses an RSA key",
    "SPEC_TYPE",
    "apiVersion: orrery/v1\nkind: Site\nspec: { tenants: [acme], audit: { keys: [{ key: §ssh-rsa AAAA }] } }\n",
  ],
  [
    "sites/hq.yaml",
    "refuses keys out of order",
    "SPEC_TYPE",
    `apiVersion: orrery/v1\nkind: Site\nspec:\n  tenants: [acme]\n  audit:\n    keys:\n      - { key: ${key()}, from: 5 }\n      - §{ key: ${key()}, from: 5 }\n`,
  ],
  [
    "sites/hq.yaml",
    "refuses a staleness rule",
    "SPEC_UNKNOWN_KEY",
    `apiVersion: orrery/v1\nkind: Site\nspec: { tenants: [acme], audit: { keys: [{ key: ${key()} }] }, §offline: {} }\n`,
  ],
  [
    "plugins/core.log/1.0.0/plugin.yaml",
    "refuses a service that the path denies",
    "SPEC_TYPE",
    plugin("service: §notify"),
  ],
  [
    "plugins/core.log/1.0.0/plugin.yaml",
    "refuses built-ins in a realm",
    "SPEC_TYPE",
    plugin('service: core\n  needs: { builtins: §["node:fs"] }'),
  ],
  [
    "plugins/core.log/1.0.0/plugin.yaml",
    "refuses a secret of a name that is no name",
    "SPEC_TYPE",
    plugin('service: core\n  needs: { secrets: [§"to-ken"] }'),
  ],
  [
    "plugins/core.log/1.0.0/plugin.yaml",
    "refuses a digest in capitals",
    "SPEC_TYPE",
    plugin("service: core", `§${"A".repeat(64)}`),
  ],
  [
    "tenants/acme/plugins/vex-lens.own/1.0.0/plugin.yaml",
    "refuses a tenant that speaks for a service",
    "SPEC_TYPE",
    plugin("service: §vex-lens"),
  ],
];

function key(): string {
  return `ssh-ed25519 ${"A".repeat(68)}`;
}

function plugin(service: string, sha256 = `"${"0".repeat(64)}"`): string {
  return `apiVersion: orrery/v1\nkind: Plugin\nspec:\n  ${service}\n  emits: raw\n  sha256: ${sha256}\n  input: { type: object }\n  output: { type: object }\n`;
}

function expectFinding(path: string, code: string, source: string): void {
  const { text, line, col } = marked(source);

  const result = decodeDocument({ path, bytes: bytesOf(text) });

  expect(result.ok).toBe(false);
  const findings = result.ok ? [] : result.findings;
  expect(findings.map((finding) => `${finding.code} ${String(finding.line)}:${String(finding.col)}`)).toContain(
    `${code} ${String(line)}:${String(col)}`,
  );
  for (const finding of findings) {
    expect(finding).toMatchObject({ severity: "error", path });
    expect(finding.message).not.toBe("");
    expect(finding.fix).not.toBe("");
  }
}

const dagPath = "tenants/acme/dags/sample.yaml";

describe("a document that cannot be read", () => {
  it.each(yamlRows)("%s", (_promise, code, text) => expectFinding(dagPath, code, text));

  it("names a file that is not UTF-8", () => {
    const result = decodeDocument({ path: dagPath, bytes: new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]) });

    expect(result).toMatchObject({ ok: false, findings: [{ code: "SPEC_ENCODING" }] });
  });

  it("does not read more than 256 KiB", () => {
    const result = decodeDocument({ path: dagPath, bytes: new Uint8Array(256 * 1024 + 1).fill(0x20) });

    expect(result).toMatchObject({ ok: false, findings: [{ code: "SPEC_TOO_LARGE" }] });
  });

  it("warns of more than 64 KiB and reads on", () => {
    const text = dag(`${one}# ${"x".repeat(70_000)}\n`);

    const result = decodeDocument({ path: dagPath, bytes: bytesOf(text) });

    expect(result).toMatchObject({ ok: true, warnings: [{ code: "SPEC_TOO_LARGE", severity: "warning" }] });
  });
});

describe("a document that does not fit", () => {
  it.each(documentRows)("%s", (_promise, code, text) => expectFinding(dagPath, code, text));
  it.each(otherRows)("%s: %s", (path, _promise, code, text) => expectFinding(path, code, text));
});

describe("a word of another tool", () => {
  it.each(foreignRows)("%s is answered with ours", (_word, source, ours) => {
    const { text, line, col } = marked(source);

    const result = decodeDocument({ path: dagPath, bytes: bytesOf(text) });

    const found = result.ok
      ? undefined
      : result.findings.find((finding) => finding.line === line && finding.col === col);
    expect(found).toMatchObject({ code: "SPEC_UNKNOWN_KEY" });
    expect(found?.fix).toContain(ours);
  });
});

describe("several mistakes", () => {
  it("are all reported, in the order of their places", () => {
    const text = dag(
      "  timeout: 30\n  steps:\n    a: { uses: core.log, if: x }\n    b: { uses: core.log@1.0.0, needs: 3 }\n",
    );

    const result = decodeDocument({ path: dagPath, bytes: bytesOf(text) });

    expect(result.ok ? [] : result.findings.map(({ line }) => line)).toEqual([4, 6, 6, 7]);
  });
});
