import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ScratchDir, scratchDir } from "../../support/git-fixtures.ts";
import { exampleWorkTree, orrery } from "./cli-fixture.ts";

const source = "plugin-src/acme/acme.count";
const built = "tenants/acme/plugins";
const task = "export default { run: () => ({ count: 1 }) };\n";

/** A work tree whose path has blanks and letters of other alphabets, with a plugin, and a place outside of it. */
async function openTree(home: ScratchDir): Promise<{ readonly work: string; readonly outside: string }> {
  const work = exampleWorkTree(home, "my wörk 木 'tree'");
  const outside = home.join("outside");
  mkdirSync(outside);
  const { exit, notes } = await orrery("plugin", "init", "acme/acme.count", "--repo", work);
  if (exit !== 0) throw new Error(notes);
  return { work, outside };
}

const build = (work: string, path = source) => orrery("plugin", "build", join(work, path));

describe("a build in a hostile work tree", { timeout: 120_000 }, () => {
  it.each(["tenants/acme/plugins", `${built}/acme.count`, `${built}/acme.count/1.0.0`])(
    "writes nothing through %s that is a link out of it",
    async (place) => {
      using home = scratchDir();
      const { work, outside } = await openTree(home);
      mkdirSync(join(work, place, ".."), { recursive: true });
      symlinkSync(outside, join(work, place));

      const ran = await build(work);

      expect([ran.exit, ran.notes]).toEqual([3, expect.stringContaining(`${place} is no folder`)]);
      expect(readdirSync(outside)).toEqual([]);
    },
  );

  it.each(["plugin.js", "plugin.yaml"])("writes neither file where %s is a link, dangling or not", async (name) => {
    using home = scratchDir();
    const { work, outside } = await openTree(home);
    const folder = join(work, built, "acme.count/1.0.0");
    mkdirSync(folder, { recursive: true });
    symlinkSync(join(outside, "new"), join(folder, name));

    const dangling = await build(work);
    writeFileSync(join(outside, "new"), "precious");
    const through = await build(work);

    expect([dangling.exit, through.exit]).toEqual([3, 3]);
    expect(through.notes).toContain(`${name} is no regular file`);
    expect(readdirSync(folder)).toEqual([name]);
    expect(readFileSync(join(outside, "new"), "utf8")).toBe("precious");
  });

  it("takes no source that is a link, be it the folder, the task, the manifest or an example", async () => {
    using home = scratchDir();
    const { work, outside } = await openTree(home);
    symlinkSync(join(work, source), join(work, "plugin-src/acme/acme.twin"));
    const asLink = (name: string): void => {
      renameSync(join(work, source, name), join(outside, "moved"));
      symlinkSync(join(outside, "moved"), join(work, source, name));
    };
    const back = (name: string): void => {
      rmSync(join(work, source, name));
      renameSync(join(outside, "moved"), join(work, source, name));
    };

    const ends = [await build(work, "plugin-src/acme/acme.twin")];
    for (const name of ["task.ts", "plugin.yaml", "examples/three.json"]) {
      asLink(name);
      ends.push(await orrery("plugin", "test", "--allow-weak", join(work, source)));
      back(name);
    }

    expect(ends.map(({ exit }) => exit)).toEqual([2, 2, 2, 2]);
    expect(ends.map(({ notes }) => notes.split("\n")[0])).toEqual([
      expect.stringContaining("acme.twin is a link"),
      expect.stringContaining("task.ts is no regular file"),
      expect.stringContaining("plugin.yaml is no regular file"),
      expect.stringContaining("three.json: it is no regular file"),
    ]);
  });

  it("bundles nothing from outside of the repository, neither by path nor through a link; a linked package it does", async () => {
    using home = scratchDir();
    const { work, outside } = await openTree(home);
    writeFileSync(join(outside, "secret.json"), '{ "private": "key" }');
    symlinkSync(join(outside, "secret.json"), join(work, source, "here.json"));
    mkdirSync(join(outside, "node_modules/one"), { recursive: true });
    writeFileSync(join(outside, "node_modules/one/index.js"), "export const one = 1;\n");
    mkdirSync(join(work, "node_modules"));
    symlinkSync(join(outside, "node_modules/one"), join(work, "node_modules/one"));
    const buildOf = (text: string) => {
      writeFileSync(join(work, source, "task.ts"), text);
      return build(work);
    };

    const ends = [];
    for (const from of ["../../../../outside/secret.json", join(outside, "secret.json"), "./here.json"])
      ends.push(await buildOf(`import s from ${JSON.stringify(from)};\nexport default { run: () => s };\n`));
    const written = existsSync(join(work, built));
    const linked = await buildOf('import { one } from "one";\nexport default { run: () => ({ count: one }) };\n');

    expect(ends.map(({ exit }) => exit)).toEqual([1, 1, 1]);
    for (const { notes } of ends)
      expect(notes).toMatch(/PLUGIN_BUILD: .*outside\/secret\.json lies outside of the repository/);
    expect([written, linked.exit, linked.notes]).toEqual([false, 0, ""]);
  });

  it("the same task with line ends of Windows gives the same bytes, its manifest the same plugin", async () => {
    using home = scratchDir();
    const { work } = await openTree(home);
    const at = join(work, built, "acme.count/1.0.0/plugin.js");
    const windows = (name: string): void => {
      const file = join(work, source, name);
      writeFileSync(file, readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    };
    writeFileSync(join(work, source, "task.ts"), `${task}export const text = \`one\ntwo\`;\n`);
    await build(work);
    const before = readFileSync(at, "utf8");

    for (const name of ["task.ts", "plugin.yaml", "examples/three.json"]) windows(name);
    const ran = await build(work);

    expect([ran.exit, readFileSync(at, "utf8")]).toEqual([0, before]);
    expect((await orrery("lint", work, "-o", "json")).out).not.toContain("acme.count");
  });

  it.each([
    "../x/acme.count",
    "acme/../../x",
    "acme/acme.count/../../x",
    "acme/acme.count@../..",
    "/acme.x",
    "acme/acme.\n",
  ])("%j is no name of a plugin", async (name) => {
    using home = scratchDir();
    const work = exampleWorkTree(home);

    const ran = await orrery("plugin", "init", name, "--repo", work);

    expect(ran.exit).toBe(2);
    expect(existsSync(join(work, "plugin-src"))).toBe(false);
  });
});

describe("a local run in a hostile work tree", { timeout: 120_000 }, () => {
  it("no link leads a step to what lies outside: neither a file, a folder, the DAG nor the tenant", async () => {
    using home = scratchDir();
    const { work, outside } = await openTree(home);
    writeFileSync(join(outside, "secret.txt"), "correct-horse");
    const lines = ["  rationale: x", "  steps: { look: { uses: core.files@1.0.0, files: ['**'] } }", ""];
    writeFileSync(join(outside, "look.yaml"), ["apiVersion: orrery/v1", "kind: Dag", "spec:", ...lines].join("\n"));
    mkdirSync(join(work, "tenants/acme/files/notes"), { recursive: true });
    symlinkSync(join(outside, "secret.txt"), join(work, "tenants/acme/files/notes/a.txt"));
    symlinkSync(outside, join(work, "tenants/acme/files/all"));
    writeFileSync(join(work, "tenants/acme/dags/look.yaml"), readFileSync(join(outside, "look.yaml")));
    symlinkSync(join(outside, "look.yaml"), join(work, "tenants/acme/dags/linked.yaml"));
    symlinkSync(join(work, "tenants/acme"), join(work, "tenants/zeta"));
    const run = (target: string) => orrery("run", "--local", "--allow-weak", "-o", "json", target, "--repo", work);

    const look = await run("acme/look");
    const ends = [await run("acme/linked"), await run("zeta/hello")];

    const { steps, findings } = JSON.parse(look.out) as { readonly steps: unknown; readonly findings: unknown };
    expect(JSON.stringify(steps)).toContain("vex");
    expect(JSON.stringify(steps)).not.toMatch(/notes|all\/|secret/);
    expect(JSON.stringify(findings).match(/SPEC_TREE_ENTRY/g)).toHaveLength(2);
    for (const { exit, out, notes } of ends) {
      expect([exit, out]).toEqual([1, expect.stringContaining("SPEC_TREE_ENTRY")]);
      expect(notes).not.toMatch(/ start$/m);
    }
  });

  it("needs no Git repository, and no plain path", async () => {
    using home = scratchDir();
    const { work } = await openTree(home);
    rmSync(join(work, ".git"), { recursive: true });

    const ran = await orrery("run", "--local", "--allow-weak", join(work, "tenants/acme/dags/hello.yaml"));
    const made = await build(work);

    expect([ran.exit, ran.out]).toEqual([0, expect.stringContaining("acme/hello  succeeded")]);
    expect(made.exit).toBe(0);
  });
});
