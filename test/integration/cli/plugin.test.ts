import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTaskBench, type TaskBench } from "../../../src/cli/plugin/task-bench.ts";
import { isConfinable } from "../../support/confinable.ts";
import { type ScratchDir, scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { exampleWorkTree, orrery } from "./cli-fixture.ts";

const source = "plugin-src/acme/acme.count";
const built = "tenants/acme/plugins/acme.count/1.0.0";

async function withPlugin(home: ScratchDir, name = "work"): Promise<string> {
  const work = exampleWorkTree(home, name);
  const { exit, notes } = await orrery("plugin", "init", "acme/acme.count", "--repo", work);
  if (exit !== 0) throw new Error(notes);
  return work;
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

const replace = (file: string, from: string, to: string): void =>
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));

describe("plugin init", () => {
  it("writes a source that lint leaves alone, and that builds to what lint accepts", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);
    expect((await orrery("lint", work)).exit).toBe((await orrery("lint", exampleWorkTree(home, "plain"))).exit);

    const ran = await orrery("plugin", "build", join(work, source), "-o", "json");

    expect(ran.exit).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ written: [`${built}/plugin.js`, `${built}/plugin.yaml`] });
    const { findings } = JSON.parse((await orrery("lint", work, "-o", "json")).out) as { findings: { path: string }[] };
    expect(findings.filter(({ path }) => path.includes("plugin"))).toEqual([]);
  });

  it("never overwrites, and refuses a name that no tenant may speak for, before anything is written", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);

    expect(await orrery("plugin", "init", "acme/acme.count", "--repo", work)).toMatchObject({ exit: 3 });
    const reserved = await orrery("plugin", "init", "acme/policy.count", "--repo", work);
    expect(reserved.notes).toContain("a tenant's own plugin cannot speak for policy");
    expect(existsSync(join(work, "plugin-src/acme/policy.count"))).toBe(false);
    expect((await orrery("plugin", "init", "nobody/nobody.count", "--repo", work)).notes).toContain(
      "there is no tenant nobody",
    );
  });
});

describe("plugin build", () => {
  it("gives the same bytes in another place, whatever tsconfig.json says", async () => {
    using home = scratchDir();
    const [one, two] = [await withPlugin(home, "one"), await withPlugin(home, "a/deeper/two")];
    write(two, {
      "plugin-src/tsconfig.json": '{ "compilerOptions": { "target": "ES5", "useDefineForClassFields": false } }',
    });
    for (const work of [one, two]) write(work, { [`${source}/task.ts`]: "export default class { x = 1; }\n" });

    for (const work of [one, two]) await orrery("plugin", "build", join(work, source));

    const bytes = [one, two].map((work) => readFileSync(join(work, built, "plugin.js"), "utf8"));
    expect(bytes[0]).toBe(bytes[1]);
    expect(bytes[0]).not.toContain(home.path);
  });

  it("writes nothing the second time, and --check says by its exit whether it would", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);
    await orrery("plugin", "build", join(work, source));

    expect(await orrery("plugin", "build", join(work, source), "--check")).toMatchObject({ exit: 0 });
    appendFileSync(join(work, source, "task.ts"), "console.log(1);\n");
    expect(await orrery("plugin", "build", join(work, source), "--check")).toMatchObject({ exit: 1 });
  });

  it("changes a version until it is committed, and not after", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);
    await orrery("plugin", "build", join(work, source));
    appendFileSync(join(work, source, "task.ts"), "console.log('one');\n");
    expect((await orrery("plugin", "build", join(work, source))).exit).toBe(0);
    stockGit(work, ["add", "-A"]);
    stockGit(work, ["commit", "-q", "-m", "count"]);
    const before = readFileSync(join(work, built, "plugin.js"));

    appendFileSync(join(work, source, "task.ts"), "console.log('two');\n");
    const refused = await orrery("plugin", "build", join(work, source));

    expect(refused).toMatchObject({ exit: 1, notes: expect.stringContaining("PLUGIN_MUTATED") as string });
    expect(readFileSync(join(work, built, "plugin.js"))).toEqual(before);
    replace(join(work, source, "plugin.yaml"), "version: 1.0.0", "version: 1.0.1");
    expect((await orrery("plugin", "build", join(work, source))).exit).toBe(0);
    expect(existsSync(join(work, "tenants/acme/plugins/acme.count/1.0.1/plugin.js"))).toBe(true);
  });

  it("a manifest that says more of a committed version is a change; a comment is none", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);
    await orrery("plugin", "build", join(work, source));
    stockGit(work, ["add", "-A"]);
    stockGit(work, ["commit", "-q", "-m", "count"]);

    appendFileSync(join(work, source, "plugin.yaml"), "# a comment\n");
    expect((await orrery("plugin", "build", join(work, source))).exit).toBe(0);
    replace(join(work, source, "plugin.yaml"), "effects: none", "effects: any");
    expect((await orrery("plugin", "build", join(work, source))).notes).toContain("PLUGIN_MUTATED");
  });

  it.each([
    ["a syntax error", "export default {\n  run( {}\n};\n", "task.ts:3:1"],
    ["a built-in that the manifest does not name", 'import "node:fs";\nexport default {};\n', "task.ts:1:8"],
    ["a package that is not there", 'import "left-pad-of-nobody";\nexport default {};\n', "left-pad-of-nobody"],
  ])("%s is named with its place", async (_what, text, place) => {
    using home = scratchDir();
    const work = await withPlugin(home);
    write(work, { [`${source}/task.ts`]: text });

    const ran = await orrery("plugin", "build", join(work, source));

    expect(ran).toMatchObject({ exit: 1, notes: expect.stringContaining("PLUGIN_BUILD") as string });
    expect(ran.notes).toContain(place);
    expect(existsSync(join(work, built))).toBe(false);
  });
});

describe("plugin test", () => {
  it("runs the examples in the sandbox; one that comes out otherwise fails, with both values", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);
    const test = (): ReturnType<typeof orrery> => orrery("plugin", "test", "--allow-weak", join(work, source));
    expect(await test()).toMatchObject({ exit: 0, out: expect.stringContaining("1 of 1 examples ok") as string });

    write(work, {
      [`${source}/examples/wrong.json`]: '{ "input": { "items": [] }, "expect": { "output": { "count": 1 } } }',
      [`${source}/examples/refused.json`]: '{ "input": {}, "expect": { "code": "ERR_INPUT_SCHEMA" } }',
    });
    const ran = await test();

    expect(ran.exit).toBe(1);
    expect(ran.out).toContain('expected output {"count":1}, got output {"count":0}');
    expect(ran.out).toContain("2 of 3 examples ok");
  });

  it("an example with a word of its own is a usage error that names the file", async () => {
    using home = scratchDir();
    const work = await withPlugin(home);
    write(work, { [`${source}/examples/odd.json`]: '{ "input": {}, "expects": {} }' });

    const ran = await orrery("plugin", "test", join(work, source));

    expect(ran).toMatchObject({ exit: 2, notes: expect.stringContaining("examples/odd.json") as string });
  });
});

describe("the task bench", () => {
  const home = scratchDir();
  let bench: TaskBench;
  const weak = isConfinable();

  beforeAll(async () => {
    const work = await withPlugin(home);
    const task = [
      'import { type Context, defineTask } from "orrery/sdk";',
      "interface Input { readonly items?: readonly string[]; readonly fail?: boolean }",
      "export default defineTask({",
      "  async run(input: Input, ctx: Context) {",
      '    if (input.fail) throw Object.assign(new Error("as asked"), { transient: true });',
      "    const names = ctx.files.list().map(({ path }) => path);",
      '    const text = names.length === 0 ? "" : new TextDecoder().decode(await ctx.files.read(names[0]));',
      '    const ref = await ctx.artifacts.write("kept", "text/plain");',
      '    ctx.log("info", "seen", { names, token: ctx.secrets.token ?? "none" });',
      "    return { echo: input, names, text, now: ctx.now, clock: new Date().toISOString(), chance: Math.random(), ref };",
      "  },",
      "});",
      "",
    ];
    write(work, { [`${source}/task.ts`]: task.join("\n") });
    const yaml = join(work, source, "plugin.yaml");
    const text = readFileSync(yaml, "utf8");
    const needs = "  needs: { secrets: [{ name: token, optional: true }] }\n";
    writeFileSync(
      yaml,
      `${text.slice(0, text.indexOf("  input:"))}${needs}  input: { type: object }\n  output: { type: object }\n`,
    );
    bench = await openTaskBench(join(work, source), { allowWeak: true });
  });
  afterAll(async () => {
    await bench.close();
    home[Symbol.dispose]();
  });

  it("gives the task its input as it is: no text of it is taken for an expression", async () => {
    const input = { items: ["${{ 1 + 1 }}", "a}}b"], "odd key": { "${{ x }}": 1.5 } };

    const { output } = await bench.run({ input });

    expect(output).toMatchObject({ echo: input });
  });

  it("the same asking gives the same answer, chance and clock included; another instant another one", async () => {
    const ask = { input: {}, now: "2026-12-01T00:00:00Z" };

    const [one, two, other] = [await bench.run(ask), await bench.run(ask), await bench.run({ input: {} })];

    expect(one.outputsHash).toBe(two.outputsHash);
    expect(one.output).toMatchObject({ now: "2026-12-01T00:00:00.000Z", clock: "2026-12-01T00:00:00.000Z" });
    expect(other.outputsHash).not.toBe(one.outputsHash);
    expect(other.stepHash).toBe(one.stepHash);
  });

  it("hands over files, and gives back logs and artifacts", async () => {
    const { output, logs, artifacts } = await bench.run({ input: {}, files: { "notes/a.txt": "one note" } });

    expect(output).toMatchObject({ names: ["notes/a.txt"], text: "one note" });
    expect(logs).toMatchObject([{ level: "info", message: "seen", fields: { names: ["notes/a.txt"], token: "none" } }]);
    expect(Buffer.from((await artifacts[0]?.read()) ?? []).toString()).toBe("kept");
  });

  it("says how a task failed, in its own words", async () => {
    expect(await bench.run({ input: { fail: true } })).toMatchObject({
      ...{
        status: "failed",
        code: "STEP_FAILED",
        output: null,
        message: expect.stringContaining("as asked") as string,
      },
    });
  });

  it.skipIf(weak !== null)(
    `lends secrets, and shows none of them${weak === null ? "" : ` (skipped: ${weak})`}`,
    async () => {
      const answer = await bench.run({ input: {}, secrets: { token: "battery-horse-staple" } });

      expect(answer.status).toBe("succeeded");
      expect(answer.logs).toMatchObject([{ fields: { token: "[redacted]" } }]);
      expect(JSON.stringify(answer)).not.toContain("battery-horse");
    },
  );
});
