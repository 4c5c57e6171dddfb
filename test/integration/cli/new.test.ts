import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path, { join } from "node:path";
import vm from "node:vm";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Json, type JsonObject } from "../../../src/base/index.ts";
import { classifyPath, formatDocument } from "../../../src/spec/index.ts";
import { type ScratchDir, scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { exampleWorkTree, nobodysEnvironment, openHome, orrery } from "./cli-fixture.ts";

/** A clone of what `init` made. */
async function initWorkTree(home: ReturnType<typeof openHome>): Promise<string> {
  await orrery("init", home.join("specs.git"), "--data", home.join("data"), "--key", home.key, "--site", "hq");
  stockGit(home.path, ["clone", "-q", home.join("specs.git"), "work"]);
  return home.join("work");
}

const documentsIn = (dir: string): readonly string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => name.split(path.sep).join("/"))
    .filter((name) => classifyPath(name) !== null);

/** As a language server does: the schema that the first line names, its references followed as files beside it. */
function validateByModeline(file: string): Json {
  const text = readFileSync(file, "utf8");
  const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1];
  if (named === undefined) throw new Error(`${file} has no modeline`);
  const at = path.resolve(path.dirname(file), named);
  return validateBy(at, text);
}

function validateBy(schemaFile: string, text: string): Json {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const load = (from: string): JsonObject => {
    const schema = JSON.parse(readFileSync(from, "utf8")) as JsonObject;
    for (const [, reference = ""] of JSON.stringify(schema).matchAll(/"\$ref":"([^"#]+)#/g)) {
      const beside = path.resolve(path.dirname(from), reference);
      if (ajv.getSchema(reference) === undefined && beside !== from) ajv.addSchema(load(beside), reference);
    }
    return schema;
  };
  const check = ajv.compile(load(schemaFile));
  return check(parse(text))
    ? []
    : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ""}`);
}

/** `*` within one part of a path, as editors read it. */
const globMatches = (glob: string, name: string): boolean =>
  new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`).test(name);

const initIn = (home: ScratchDir): string => {
  const dir = exampleWorkTree(home);
  mkdirSync(join(dir, "keys"));
  writeFileSync(join(dir, "keys/spec_signers"), "");
  return dir;
};

describe("the repository that init makes", () => {
  it("completes in an editor without a network: modelines lead to schemas whose references resolve and that fit", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    const work = await initWorkTree(home);

    const own = documentsIn(work).filter((name) => !name.startsWith("plugins/"));

    expect(own).toEqual(expect.arrayContaining(["orrery.yaml", "sites/hq.yaml", "tenants/example/dags/hello.yaml"]));
    for (const name of own) expect([name, validateByModeline(join(work, name))]).toEqual([name, []]);
    writeFileSync(join(work, "orrery.yaml"), `${readFileSync(join(work, "orrery.yaml"), "utf8")}  colour: red\n`);
    expect(validateByModeline(join(work, "orrery.yaml"))).not.toEqual([]);
  });

  it("its settings for VS Code tie every document of specs-example to a schema that takes it", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    const work = await initWorkTree(home);
    const example = new URL("../../../specs-example/", import.meta.url).pathname;
    const settings = JSON.parse(readFileSync(join(work, ".vscode/settings.json"), "utf8")) as {
      readonly "yaml.schemas": Readonly<Record<string, readonly string[]>>;
    };
    const schemaOf = (name: string): string[] =>
      Object.entries(settings["yaml.schemas"]).flatMap(([schema, globs]) =>
        globs.some((glob) => globMatches(glob, name)) ? [schema] : [],
      );

    const documents = documentsIn(example);

    expect(documents.length).toBeGreaterThan(15);
    for (const name of documents) {
      const [schema = "none", ...more] = schemaOf(name);
      expect([name, more, validateBy(join(work, schema), readFileSync(join(example, name), "utf8"))]).toEqual([
        name,
        [],
        [],
      ]);
    }
  });

  it("stands in canonical layout and lints clean", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    const work = await initWorkTree(home);

    expect(await orrery("fmt", "--check", work)).toEqual({ exit: 0, out: "", notes: "" });
    expect((await orrery("lint", work)).out).toContain("nothing found");
  });
});

describe("orrery new", () => {
  it("a tenant, a DAG, a quota, an allowlist and plugins: lint-clean, canonical, with modelines that fit", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    rmSync(join(dir, "tenants/borealis"), { recursive: true });
    rmSync(join(dir, "tenants/acme/quota.yaml"));
    const before = new Set(documentsIn(dir));

    for (const argv of [
      ["tenant", "zeta", "--owner", "zoe@zeta.example"],
      ["dag", "zeta/first"],
      ["dag", "second", "-t", "acme"],
      ["quota", "acme"],
      ["plugin", "zeta-tools.echo", "-t", "zeta"],
      ["plugin", "notify.echo@2.1.0"],
    ])
      expect(await orrery("new", ...argv, "--repo", dir)).toMatchObject({ exit: 0, notes: "" });

    const made = documentsIn(dir).filter((name) => !before.has(name));
    expect(made.sort()).toEqual([
      "plugins/notify.echo/2.1.0/plugin.yaml",
      "tenants/acme/dags/second.yaml",
      "tenants/acme/quota.yaml",
      "tenants/zeta/allowlist.yaml",
      "tenants/zeta/dags/first.yaml",
      "tenants/zeta/plugins/zeta-tools.echo/1.0.0/plugin.yaml",
      "tenants/zeta/quota.yaml",
      "tenants/zeta/tenant.yaml",
    ]);
    for (const name of made) {
      const bytes = readFileSync(join(dir, name));
      expect([name, validateByModeline(join(dir, name))]).toEqual([name, []]);
      expect(formatDocument({ path: name, bytes })).toEqual({ ok: true, text: bytes.toString("utf8") });
    }
    const lint = JSON.parse((await orrery("lint", dir, "-o", "json")).out) as {
      readonly findings: { readonly path: string }[];
    };
    expect(lint.findings.filter(({ path: at }) => made.includes(at) || at.startsWith("tenants/zeta/"))).toEqual([]);
  });

  it("the plugin's script is one that runs", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    await orrery("new", "plugin", "acme-tools.echo", "-t", "acme", "--repo", dir);

    const script = readFileSync(join(dir, "tenants/acme/plugins/acme-tools.echo/1.0.0/plugin.js"), "utf8");
    const output = vm.runInNewContext(`${script}\nplugin.default.run({ text: "a" }, { log() {} })`) as object;

    expect({ ...output }).toEqual({ text: "a" });
  });

  it("never overwrites: exit 3, and nothing else is written either", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    rmSync(join(dir, "tenants/acme/tenant.yaml"));
    const quota = readFileSync(join(dir, "tenants/acme/quota.yaml"), "utf8");

    const answers = [];
    for (const argv of [
      ["tenant", "acme", "--owner", "a"],
      ["dag", "acme/hello"],
      ["quota", "acme"],
      ["plugin", "core.log"],
    ])
      answers.push(await orrery("new", ...argv, "--repo", dir));

    expect(answers.map(({ exit }) => exit)).toEqual([3, 3, 3, 3]);
    expect(answers[0]?.notes).toContain("FILE_EXISTS: tenants/acme/quota.yaml stands there already");
    expect(existsSync(join(dir, "tenants/acme/tenant.yaml"))).toBe(false);
    expect(existsSync(join(dir, "schemas"))).toBe(false);
    expect(readFileSync(join(dir, "tenants/acme/quota.yaml"), "utf8")).toBe(quota);
  });

  it("never writes through a link that leads out of the work tree", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    mkdirSync(home.join("outside"));
    symlinkSync(home.join("outside"), join(dir, "tenants/linked"));
    symlinkSync(home.join("outside"), join(dir, "schemas"));

    const tenant = await orrery("new", "tenant", "linked", "--owner", "a", "--repo", dir);
    const schemas = await orrery("new", "schemas", "--repo", dir);

    expect([tenant.exit, schemas.exit]).toEqual([3, 3]);
    expect(readdirSync(home.join("outside"))).toEqual([]);
  });

  it("names the nearest tenant, the missing plugin, what is no name, and a service that is not the tenant's", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    const ask = (...argv: string[]) => orrery("new", ...argv, "--repo", dir);

    expect((await ask("dag", "acne/x")).notes).toContain("there is no tenant acne; did you mean acme?");
    expect(await ask("dag", "acme/Not_A_Name")).toMatchObject({ exit: 2 });
    expect(await ask("tenant", "../x", "--owner", "a")).toMatchObject({ exit: 2 });
    expect(await ask("plugin", "core.mine", "-t", "acme")).toMatchObject({ exit: 2 });
    expect((await ask("plugin", "one@2")).notes).toContain("is not SERVICE.TASK");
    rmSync(join(dir, "plugins"), { recursive: true });
    expect((await ask("dag", "acme/x")).notes).toContain("PLUGIN_UNKNOWN");
    expect(existsSync(join(dir, "tenants/acme/dags/x.yaml"))).toBe(false);
  });

  it("a DAG of a tenant that may use nothing says that it is not armed, and whom to ask", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    rmSync(join(dir, "tenants/acme/allowlist.yaml"));

    const { exit, out } = await orrery("new", "dag", "acme/quiet", "--repo", dir);

    expect(exit).toBe(0);
    expect(out).toContain("Ask for core.log@1.0.0 in tenants/acme/allowlist.yaml: until then the DAG is not armed");
  });

  it("schemas: brings ours up to date, leaves what is not ours, and then does nothing", async () => {
    using home = scratchDir();
    const dir = initIn(home);
    await orrery("new", "schemas", "--repo", dir);
    writeFileSync(join(dir, "schemas/dag.schema.json"), '{ "$id": "dag.schema.json", "old": true }');
    writeFileSync(join(dir, "schemas/quota.schema.json"), '{ "mine": true }');
    writeFileSync(join(dir, ".vscode/settings.json"), '{ "mine": true }');

    const { out, notes } = await orrery("new", "schemas", "--repo", dir);

    expect(out).toBe("schemas/dag.schema.json");
    expect(notes.split("\n")).toHaveLength(2);
    expect(readFileSync(join(dir, ".vscode/settings.json"), "utf8")).toBe('{ "mine": true }');
    expect(readFileSync(join(dir, "schemas/dag.schema.json"), "utf8")).toContain('"title": "Dag"');
  });
});
