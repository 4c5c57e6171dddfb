import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Finding } from "../../../src/spec/index.ts";
import { commitFiles, scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { exampleWorkTree, orrery } from "./cli-fixture.ts";

interface LintJson {
  readonly ok: boolean;
  readonly revision: string | null;
  readonly documents: number;
  readonly findings: readonly Finding[];
}

const hello = "tenants/acme/dags/hello.yaml";

async function lintJson(...argv: string[]): Promise<LintJson & { readonly exit: number }> {
  const { exit, out } = await orrery("lint", ...argv, "-o", "json");
  return { ...(JSON.parse(out) as LintJson), exit };
}

/** Only these documents, so that nothing else is to be found. */
function cleanWorkTree(home: { readonly path: string; join(...parts: string[]): string }): string {
  const dir = exampleWorkTree(home as Parameters<typeof exampleWorkTree>[0]);
  for (const name of ["tenants/borealis", "tenants/acme/dags", "tenants/acme/slo.yaml"])
    rmSync(join(dir, name), { recursive: true });
  stockGit(dir, ["checkout", "--", hello]);
  mkdirSync(join(dir, "keys"));
  writeFileSync(join(dir, "keys/spec_signers"), "");
  stockGit(dir, ["add", "-A"]);
  stockGit(dir, ["commit", "-q", "-m", "clean"]);
  return dir;
}

const append = (file: string, text: string): void => writeFileSync(file, readFileSync(file, "utf8") + text);

describe("orrery lint", () => {
  it("finds nothing in a clean repository, exit 0", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);

    const { exit, out } = await orrery("lint", dir);

    expect(out).toContain("nothing found in");
    expect(exit).toBe(0);
  });

  it("names every finding of every document at once, with place, line, caret and fix", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);
    const broken = readFileSync(join(dir, hello), "utf8").replace("core.log@1.0.0", "core.log@9.0.0");
    writeFileSync(join(dir, hello), broken);
    writeFileSync(join(dir, "tenants/acme/dags/other.yaml"), broken.replace("uses:", "use:"));
    writeFileSync(join(dir, "tenants/acme/quota.yaml"), "apiVersion: orrery/v1\nkind: Quota\nspec: { wieght: 2 }\n");

    const { exit, out } = await orrery("lint", "--repo", dir);

    const line = broken.split("\n").findIndex((text) => text.includes("core.log")) + 1;
    const col = (broken.split("\n")[line - 1]?.indexOf("core.log") ?? 0) + 1;
    expect(exit).toBe(1);
    expect(out).toContain(`${hello}:${line}:${col} error ORY2107 PLUGIN_UNKNOWN no plugin core.log@9.0.0`);
    expect(out).toContain(`${String(line).padStart(5)} |       uses: core.log@9.0.0\n      | ${" ".repeat(col - 1)}^`);
    expect(out).toMatch(/tenants\/acme\/dags\/other\.yaml:\d+:\d+ error ORY2006/);
    expect(out).toMatch(/tenants\/acme\/quota\.yaml:3:9 error ORY2006/);
    expect(out).toContain("    fix: Add plugins/core.log/9.0.0/plugin.yaml");
  });

  it("a denial is exit 1, a warning alone exit 0", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);
    rmSync(join(dir, "keys/spec_signers"));

    const warned = await lintJson(dir);
    rmSync(join(dir, "tenants/acme/allowlist.yaml"));
    const denied = await lintJson(dir);

    expect(warned).toMatchObject({ exit: 0, ok: true, findings: [{ severity: "warning", path: "keys/spec_signers" }] });
    expect(denied).toMatchObject({ exit: 1, ok: false });
    expect(denied.findings.map(({ severity }) => severity)).toContain("denied");
  });

  it("takes the files of the work tree as they stand, the commit with --ref", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);
    append(join(dir, hello), "  nonsense: 1\n");

    const files = await lintJson(dir);
    const committed = await lintJson(dir, "--ref", "main");

    expect(files).toMatchObject({ exit: 1, revision: null });
    expect(committed).toMatchObject({ exit: 0, revision: stockGit(dir, ["rev-parse", "HEAD"]) });
  });

  it("law: the files of a clean checkout and their commit have the same findings", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    symlinkSync("/etc/passwd", join(dir, "tenants/acme/dags/link.yaml"));
    commitFiles(dir, { "tenants/Bad/tenant.yaml": "x: 1\n", "orrery.yml": "", "tenants/acme/dags/a.yml": "x" });

    const files = await lintJson(dir);
    const committed = await lintJson(dir, "--ref", "refs/heads/main");

    expect(files.findings).toEqual(committed.findings);
    expect(files.documents).toBe(committed.documents);
    expect(files.findings.length).toBeGreaterThan(5);
  });

  it("reads a bare repository, from main or from the branch of HEAD", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);
    stockGit(dir, ["branch", "-m", "trunk"]);
    stockGit(home.path, ["clone", "-q", "--bare", dir, home.join("bare.git")]);

    expect(await lintJson(home.join("bare.git"))).toMatchObject({
      ...{ exit: 0, revision: stockGit(dir, ["rev-parse", "HEAD"]) },
    });
  });

  it("never follows a symlink: what it points at is neither read nor shown", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);
    writeFileSync(home.join("outside.yaml"), "password: hunter2\n");
    mkdirSync(home.join("outside"));
    writeFileSync(home.join("outside", "dag.yaml"), "password: hunter2\n");
    symlinkSync(home.join("outside.yaml"), join(dir, "tenants/acme/dags/evil.yaml"));
    symlinkSync(home.join("outside"), join(dir, "tenants/evil"));
    rmSync(join(dir, "orrery.yaml"));
    symlinkSync(home.join("outside.yaml"), join(dir, "orrery.yaml"));

    const { exit, out } = await orrery("lint", dir);

    expect(exit).toBe(1);
    expect(out).not.toContain("hunter2");
    for (const path of ["tenants/acme/dags/evil.yaml", "tenants/evil", "orrery.yaml"])
      expect(out).toMatch(new RegExp(`^${path} error ORY2011 SPEC_TREE_ENTRY`, "m"));
  });

  it("works from a folder within, and on a folder that is no repository", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);

    const within = await orrery("lint", join(dir, "tenants", "acme"));
    rmSync(join(dir, ".git"), { recursive: true });
    const plain = await orrery("lint", dir);

    expect(within.exit).toBe(0);
    expect(within.out).toBe(plain.out);
  });

  it("a broken quota does not hide what is wrong in the DAGs, nor deny what it may grant", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    writeFileSync(join(dir, "tenants/acme/quota.yaml"), "spec: [");
    const text = readFileSync(join(dir, hello), "utf8");
    writeFileSync(join(dir, hello), text.replace("core.log@1.0.0", "core.log@9.0.0"));

    const { findings } = await lintJson(dir);

    const acme = findings.filter(({ path }) => path.startsWith("tenants/acme/"));
    expect(acme.map(({ code }) => code)).toContain("PLUGIN_UNKNOWN");
    expect(acme.map(({ severity }) => severity)).not.toContain("denied");
  });

  it("shows no control character of a document", async () => {
    using home = scratchDir();
    const dir = cleanWorkTree(home);
    append(join(dir, hello), '  "\u001b[31mred\u202e": 1\n');

    const { out } = await orrery("lint", dir);

    expect(out).not.toMatch(/[\u001b\u202e]/);
    expect(out).toContain("SPEC_UNKNOWN_KEY");
  });

  it.each([
    { argv: ["lint", "/nowhere/at/all"], exit: 4 },
    { argv: ["lint", ".", "--repo", "."], exit: 2 },
    { argv: ["lint", "--nonsense"], exit: 2 },
  ])("$argv exits $exit", async ({ argv, exit }) => {
    expect((await orrery(...argv)).exit).toBe(exit);
  });
});
