import { describe, expect, it } from "vitest";
import { checkDag, decodeDocument, type PluginManifest, type PluginRef } from "../../../src/spec/index.ts";
import { bytesOf, dagText, exampleBytes, lint, marked } from "../../support/spec-fixtures.ts";

const log = "uses: core.log@1.0.0";
describe("the lint of a DAG", () => {
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
      dagText(`schedules:\n  - cron: §"0 0 31 2 *"\nsteps:\n  a: { ${log}, with: { message: x } }`),
    );

    const found = lint(text, { checkSchedule: () => ({ message: "never" }) });

    expect(found).toMatchObject([{ code: "SCHEDULE_INVALID", message: "never", line, col }]);
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

  it("ends for expressions in a cycle, and in a chain of 60 diamonds", () => {
    const reads = (id: string): string => `{ ${log}, needs: ${id}, with: { message: "\${{ steps.${id}.status }}" } }`;
    expect(lint(dagText(`steps:\n  a: ${reads("b")}\n  b: ${reads("a")}`)).map(({ code }) => code)).toEqual([
      "DAG_CYCLE",
    ]);

    const diamonds = Array.from({ length: 60 }, (_, n) => {
      const needs = n === 0 ? "[]" : `[l${String(n - 1)}, r${String(n - 1)}]`;
      const step = `{ ${log}, needs: ${needs}, with: { message: x } }`;
      return `  l${String(n)}: ${step}\n  r${String(n)}: ${step}`;
    });
    const last = `  z: { ${log}, needs: [l59, r59], with: { message: "\${{ steps.l0.status }}" } }`;
    expect(lint(dagText(`steps:\n${diamonds.join("\n")}\n${last}`))).toEqual([]);
  });

  it("knows that an item which failed is null where its step has continueOnError", () => {
    const of = (more: string): string =>
      dagText(
        [
          "steps:",
          `  a: { ${log}, forEach: { in: [1, 2] }, with: { message: x }${more} }`,
          `  b: { ${log}, needs: a, with: { message: x }, when: "\${{ steps.a.outputs.exists(o, o == null) }}" }`,
        ].join("\n"),
      );

    expect(lint(of(", continueOnError: true"))).toEqual([]);
    expect(lint(of("")).map(({ code }) => code)).toEqual(["EXPR_TYPE"]);
  });

  it("counts a comparison of texts as one turn, of lists by the shorter one", () => {
    const codes = (when: string, items = "{ type: string }"): readonly string[] =>
      lint(
        dagText(
          `inputs: { names: { type: array, items: ${items} }, other: { type: string } }\nsteps:\n  a: { ${log}, with: { message: x }, when: "\${{ ${when} }}" }`,
        ),
      ).map(({ code }) => code);

    expect(codes("inputs.names.exists(n, n == 'a')")).toEqual([]);
    expect(codes("inputs.names.exists(n, n == inputs.other)")).toEqual([]);
    expect(codes("inputs.names.exists(n, n != null)", "{}")).toEqual([]);
    expect(codes("inputs.names.exists(n, n == ['a', 'b'])", "{ type: array }")).toEqual([]);
    expect(codes("inputs.names.exists(n, n == inputs.names)", "{}")).toEqual(["EXPR_COST"]);
    expect(codes("inputs.names.exists(n, inputs.names.exists(m, m == n))")).toEqual(["EXPR_COST"]);
  });

  it("judges no branch of a plugin's schema that an expression may yet choose", () => {
    const branches: PluginManifest = {
      ...{ name: "core.log", version: "1.0.0", service: "core", emits: "raw", sha256: "0".repeat(64), effects: "none" },
      ...{ needs: { network: false, builtins: [], secrets: [] }, isolation: "realm", nondeterministic: false },
      input: {
        type: "object",
        anyOf: [
          { type: "object", required: ["a"], properties: { a: { type: "integer" }, b: { const: 1 } } },
          { type: "object", required: ["b"], properties: { a: { type: "string" }, b: { const: 2 } } },
        ],
      },
      output: { type: "object" },
    };
    const plugin = (): PluginManifest => branches;
    const step = (input: string): string => dagText(`steps:\n  a: { ${log}, with: ${input} }`);

    expect(lint(step('{ a: "${{ run.runNo }}", b: 1 }'), { plugin })).toEqual([]);
    expect(lint(step("{ a: 1, b: 2 }"), { plugin }).map(({ code }) => code)).toContain("STEP_INPUT");
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
      positions: { packed: "{}" },
      plugin: () => null,
      files: [],
      checkSchedule: () => null,
    });

    expect(found).toMatchObject([{ code: "PLUGIN_UNKNOWN", line: 0, col: 0 }]);
  });
});
