import { describe, expect, it } from "vitest";
import { checkDag, decodeDocument, type PluginManifest, type PluginRef } from "../../../src/spec/index.ts";
import { bytesOf, dagText, exampleBytes, lint, marked } from "../../support/spec-fixtures.ts";

type Row = readonly [promise: string, code: string, spec: string];

const log = "uses: core.log@1.0.0";
const rows: readonly Row[] = [
  [
    "names a cycle with its path",
    "DAG_CYCLE",
    `steps:\n  a: { ${log}, with: { message: x }, §needs: b }\n  b: { ${log}, with: { message: x }, needs: c }\n  c: { ${log}, with: { message: x }, needs: a }`,
  ],
  ["names a step that needs itself", "DAG_CYCLE", `steps:\n  a: { ${log}, with: { message: x }, §needs: a }`],
  ["names an unknown step", "DAG_UNKNOWN_STEP", `steps:\n  a: { ${log}, with: { message: x }, needs: §nope }`],
  [
    "names an unknown step in a list",
    "DAG_UNKNOWN_STEP",
    `steps:\n  a: { ${log}, with: { message: x } }\n  b: { ${log}, with: { message: x }, needs: [a, §nope] }`,
  ],
  [
    "refuses a need of a finally step",
    "DAG_UNKNOWN_STEP",
    `steps:\n  a: { ${log}, with: { message: x }, needs: §end }\nfinally:\n  end: { ${log}, with: { message: x } }`,
  ],
  [
    "refuses a finally step that needs a step",
    "DAG_UNKNOWN_STEP",
    `steps:\n  a: { ${log}, with: { message: x } }\nfinally:\n  end: { ${log}, with: { message: x }, needs: §a }`,
  ],
  [
    "refuses one name for a step and a finally step",
    "DAG_DUPLICATE_NAME",
    `steps:\n  a: { ${log}, with: { message: x } }\nfinally:\n  §a: { ${log}, with: { message: x } }`,
  ],
  [
    "refuses two schedules of one name",
    "DAG_DUPLICATE_NAME",
    `schedules:\n  - { every: 15m }\n  - { every: 15m, name: §default }\nsteps:\n  a: { ${log}, with: { message: x } }`,
  ],
  ["refuses a step called true", "SPEC_TYPE", `steps:\n  §true: { ${log}, with: { message: x } }`],
  ["names a plugin that is not there", "PLUGIN_UNKNOWN", "steps:\n  a: { uses: §core.log@2.0.0 }"],
  ["refuses code of another plugin", "STEP_CODE", `steps:\n  a: { ${log}, with: { message: x }, §code: "() => ({})" }`],
  ["wants code for core.js", "STEP_CODE", "steps:\n  §a: { uses: core.js@1.0.0 }"],
  [
    "names a file pattern that matches nothing",
    "FILES_EMPTY",
    "steps:\n  a: { uses: core.files@1.0.0, files: [vex/*.json, §sbom/**] }",
  ],
  [
    "refuses a secret that the plugin does not take",
    "STEP_SECRETS",
    `steps:\n  a: { ${log}, with: { message: x }, secrets: { §token: notify_token } }`,
  ],
  ["refuses a constant that does not fit", "STEP_INPUT", `steps:\n  a: { ${log}, with: { message: x, level: §loud } }`],
  [
    "refuses an input that the plugin does not have",
    "STEP_INPUT",
    `steps:\n  a: { ${log}, with: { message: x, §colour: red } }`,
  ],
  ["wants what the plugin requires", "STEP_INPUT", `steps:\n  a:\n    ${log}\n    with: §{ level: info }`],
  [
    "refuses a schedule without a required input",
    "SCHEDULE_INVALID",
    `inputs: { day: { type: date } }\nschedules:\n  - §every: 15m\nsteps:\n  a: { ${log}, with: { message: x } }`,
  ],
  [
    "refuses a schedule's constant that does not fit",
    "SCHEDULE_INVALID",
    `inputs: { n: { type: integer } }\nschedules:\n  - { every: 15m, inputs: { n: §many } }\nsteps:\n  a: { ${log}, with: { message: x } }`,
  ],
  [
    "refuses a step's output in a schedule",
    "EXPR_REFERENCE",
    `inputs: { n: { type: string } }\nschedules:\n  - { every: 15m, inputs: { n: "\${{ §steps.a.outputs.message }}" } }\nsteps:\n  a: { ${log}, with: { message: x } }`,
  ],
  ["refuses an open expression", "EXPR_SYNTAX", `steps:\n  a: { ${log}, with: { message: "§\${{ inputs.x" } }`],
  ["refuses an empty expression", "EXPR_SYNTAX", `steps:\n  a: { ${log}, with: { message: "\${{§ }}" } }`],
  ["refuses what does not parse", "EXPR_SYNTAX", `steps:\n  a: { ${log}, with: { message: "\${{ 1 +§}}" } }`],
  [
    "refuses text round a condition",
    "EXPR_SYNTAX",
    `steps:\n  a: { ${log}, with: { message: x }, when: §"\${{ true }} and \${{ true }}" }`,
  ],
  [
    "refuses an expression as key",
    "EXPR_SYNTAX",
    `steps:\n  a: { uses: core.js@1.0.0, code: x, with: { §"\${{ run.tenant }}": 1 } }`,
  ],
  [
    "refuses a step that is not upstream",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: x } }\n  b: { ${log}, with: { message: "\${{ §steps.a.outputs.message }}" } }`,
  ],
  [
    "refuses the step itself",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: "\${{ §steps.a.outputs.message }}" } }`,
  ],
  [
    "refuses an unknown step in an expression",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: "\${{ §steps.nope.status }}" } }`,
  ],
  [
    "refuses a whole step",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: x } }\n  b: { ${log}, needs: a, with: { message: "\${{ §steps.a }}" } }`,
  ],
  [
    "refuses a step by a computed name",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: x } }\n  b: { ${log}, needs: a, with: { message: "\${{ §steps[run.tenant].outputs }}" } }`,
  ],
  [
    "refuses an output that the schema does not have",
    "EXPR_REFERENCE",
    `steps:\n  a: { uses: core.files@1.0.0, files: [vex/**] }\n  b: { ${log}, needs: a, with: { message: "\${{ steps.a.outputs.§docs }}" } }`,
  ],
  [
    "refuses an output inside a macro that the schema does not have",
    "EXPR_REFERENCE",
    `steps:\n  a: { uses: core.files@1.0.0, files: [vex/**] }\n  b: { uses: core.js@1.0.0, code: x, needs: a, with: { x: "\${{ steps.a.outputs.documents.map(d, d.§name) }}" } }`,
  ],
  [
    "refuses an unknown input",
    "EXPR_REFERENCE",
    `inputs: { day: { type: date } }\nsteps:\n  a: { ${log}, with: { message: "\${{ §inputs.date }}" } }`,
  ],
  [
    "refuses an unknown field of the run",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: "\${{ run.§branch }}" } }`,
  ],
  [
    "refuses the run's status before its end",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: "\${{ run.§status }}" } }`,
  ],
  ["refuses the environment", "EXPR_REFERENCE", `steps:\n  a: { ${log}, with: { message: "\${{ §env.HOME }}" } }`],
  ["refuses an item without forEach", "EXPR_REFERENCE", `steps:\n  a: { ${log}, with: { message: "\${{ §item }}" } }`],
  [
    "refuses an item in its own list",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, forEach: { in: "\${{ §doc }}", as: doc }, with: { message: x } }`,
  ],
  [
    "refuses an item that is called run",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, forEach: { in: [1], as: §run }, with: { message: x } }`,
  ],
  [
    "refuses an unknown function",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, with: { message: "\${{ §uppercase(run.tenant) }}" } }`,
  ],
  [
    "refuses matches",
    "EXPR_REFERENCE",
    `steps:\n  a: { ${log}, when: "\${{ §run.tenant.matches('(a+)+') }}", with: { message: x } }`,
  ],
  ["refuses a secret", "SECRET_IN_EXPRESSION", `steps:\n  a: { ${log}, with: { message: "\${{ §secrets.token }}" } }`],
  [
    "refuses a condition that is a number",
    "EXPR_TYPE",
    `steps:\n  a: { ${log}, when: §"\${{ 1 + 1 }}", with: { message: x } }`,
  ],
  [
    "refuses forEach over a text",
    "EXPR_TYPE",
    `steps:\n  a: { ${log}, forEach: { in: §"\${{ run.tenant }}" }, with: { message: x } }`,
  ],
  [
    "refuses a number where a text belongs",
    "EXPR_TYPE",
    `steps:\n  a: { ${log}, with: { message: §"\${{ run.runNo }}" } }`,
  ],
  [
    "refuses an operator between types",
    "EXPR_TYPE",
    `steps:\n  a: { ${log}, with: { message: "\${{ §run.tenant + 1 }}" } }`,
  ],
  [
    "refuses nested macros over long lists",
    "EXPR_COST",
    `steps:\n  a: { uses: core.js@1.0.0, code: x }\n  b: { uses: core.js@1.0.0, code: x, needs: a, with: { x: "\${{§ steps.a.outputs.xs.map(p, steps.a.outputs.xs.map(q, p)) }}" } }`,
  ],
];

describe("the lint of a DAG", () => {
  it.each(rows)("%s", (_promise, code, source) => {
    const { text, line, col } = marked(dagText(source));

    const found = lint(text);

    expect(found.map((finding) => `${finding.code} ${String(finding.line)}:${String(finding.col)}`)).toContain(
      `${code} ${String(line)}:${String(col)}`,
    );
  });

  it("says the whole way round a cycle, from its first step in byte order", () => {
    const found = lint(
      dagText(
        `steps:\n  z: { ${log}, with: { message: x }, needs: m }\n  m: { ${log}, with: { message: x }, needs: b }\n  b: { ${log}, with: { message: x }, needs: z }`,
      ),
    );

    expect(found.map(({ message }) => message)).toEqual(["cycle: b needs z needs m needs b"]);
  });

  it("finds two cycles apart and no step that only leads into one", () => {
    const step = (needs: string): string => `{ ${log}, with: { message: x }, needs: ${needs} }`;
    const found = lint(
      dagText(
        `steps:\n  a: ${step("b")}\n  b: ${step("a")}\n  c: ${step("[d, a]")}\n  d: ${step("c")}\n  e: ${step("a")}`,
      ),
    );

    expect(found.map(({ message }) => message)).toEqual(["cycle: a needs b needs a", "cycle: c needs d needs c"]);
  });

  it("walks 200 steps in a row without recursion", () => {
    const steps = Array.from(
      { length: 200 },
      (_, n) => `  s${String(n)}: { ${log}, with: { message: x }, needs: s${String((n + 1) % 200)} }`,
    );

    expect(lint(dagText(`steps:\n${steps.join("\n")}`)).map(({ code }) => code)).toEqual(["DAG_CYCLE"]);
  });

  it("asks the calendar about each schedule and shows its answer at cron", () => {
    const { text, line, col } = marked(
      dagText(`schedules:\n  - cron: §"61 * * * *"\nsteps:\n  a: { ${log}, with: { message: x } }`),
    );

    const found = lint(text, { checkSchedule: () => ({ message: "minute 61" }) });

    expect(found).toMatchObject([{ code: "SCHEDULE_INVALID", message: "minute 61", line, col }]);
  });

  it("warns of a network that the plugin cannot use, and of nothing else", () => {
    const found = lint(dagText(`steps:\n  a: { ${log}, with: { message: x }, network: ["a.b:443"] }`));

    expect(found).toMatchObject([{ code: "STEP_INPUT", severity: "warning" }]);
  });

  it("accepts every expression of the design's reference", () => {
    const found = lint(
      dagText(
        [
          "inputs: { day: { type: date } }",
          'schedules:\n  - { name: nightly, cron: "30 3 * * *", inputs: { day: "${{ slot.date }}" } }',
          "steps:",
          "  collect: { uses: core.files@1.0.0, files: [vex/**] }",
          "  link:",
          "    needs: collect",
          "    uses: core.js@1.0.0",
          "    code: x",
          '    forEach: { in: "${{ steps.collect.outputs.documents }}", as: doc }',
          '    with: { document: "${{ doc.path }}", n: "${{ index + 1 }}" }',
          "  judge:",
          "    needs: link",
          "    uses: core.js@1.0.0",
          "    code: x",
          '    with: { documents: "${{ steps.link.outputs }}", first: "${{ steps.collect.outputs.documents[0].bytes > 1 }}" }',
          "  announce:",
          "    needs: judge",
          "    when: \"${{ steps.judge.outputs.changed > 0 || steps.link.status == 'failed' }}\"",
          "    uses: core.log@1.0.0",
          '    with: { message: "${{ steps.judge.outputs.changed }} changed on ${{ inputs.day }}" }',
          "finally:",
          `  tidy: { ${log}, with: { message: "ended \${{ run.status }}: \${{ steps.judge.status }}" } }`,
        ].join("\n"),
      ),
    );

    expect(found).toEqual([]);
  });

  it("does not judge what an expression will give", () => {
    const found = lint(
      dagText(
        `inputs: { level: { type: string } }\nsteps:\n  a: { ${log}, with: { message: x, level: "\${{ inputs.level }}" } }`,
      ),
    );

    expect(found).toEqual([]);
  });

  it("finds nothing in the DAGs of specs-example", () => {
    const manifests = new Map<string, PluginManifest>();
    for (const name of ["core.log", "core.js", "core.files", "vex-lens.link", "export-center.bundle", "notify.post"]) {
      const path = `plugins/${name}/1.0.0/plugin.yaml`;
      const result = decodeDocument({ path, bytes: exampleBytes(path) });
      if (result.ok && result.document.kind === "Plugin") manifests.set(name, result.document.spec);
    }
    const plugin = ({ name }: PluginRef): PluginManifest | null => manifests.get(name) ?? null;
    const files = ["vex/http-stack.vex.json", "sbom/orrery.cdx.json"];

    for (const dagId of ["hello", "nightly-vex", "sbom-export", "vex-watch"]) {
      const path = `tenants/acme/dags/${dagId}.yaml`;
      const result = decodeDocument({ path, bytes: exampleBytes(path) });
      const document = result.ok && result.document.kind === "Dag" ? result.document : null;
      expect(document).not.toBeNull();
      if (document === null) continue;
      const { positions } = document;
      expect(checkDag(document.spec, { path, positions, plugin, files, checkSchedule: () => null })).toEqual([]);
    }
  });

  it("gives findings without places for a spec that has no document", () => {
    const result = decodeDocument({
      path: "tenants/acme/dags/x.yaml",
      bytes: bytesOf(dagText("steps:\n  a: { uses: core.log@9.0.0 }")),
    });
    const dag = result.ok && result.document.kind === "Dag" ? result.document.spec : null;
    if (dag === null) throw new Error("not decoded");

    const found = checkDag(dag, {
      path: "stored",
      positions: {},
      plugin: () => null,
      files: [],
      checkSchedule: () => null,
    });

    expect(found).toMatchObject([{ code: "PLUGIN_UNKNOWN", line: 0, col: 0 }]);
  });
});
