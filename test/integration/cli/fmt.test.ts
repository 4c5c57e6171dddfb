import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shellWord } from "../../../src/cli/place/shell-word.ts";
import { scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { exampleWorkTree, orrery, shell } from "./cli-fixture.ts";

const untidy = "kind:   Tenant # t\napiVersion: orrery/v1\nspec: {owners: [ ana ]}\n";
const tidy = "apiVersion: orrery/v1\nkind: Tenant  # t\nspec: { owners: [ana] }\n";
const tenant = "tenants/acme/tenant.yaml";

describe("orrery fmt", () => {
  it("writes the layout of every document of a work tree, names what it changed, and then changes nothing", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    writeFileSync(join(dir, tenant), untidy);
    chmodSync(join(dir, tenant), 0o640);

    const first = await orrery("fmt", dir);
    const second = await orrery("fmt", dir);

    expect(first).toEqual({ exit: 0, out: join(dir, tenant), notes: "" });
    expect(readFileSync(join(dir, tenant), "utf8")).toBe(tidy);
    expect(statSync(join(dir, tenant)).mode & 0o777).toBe(0o640);
    expect(second).toEqual({ exit: 0, out: "", notes: "" });
    expect(stockGit(dir, ["status", "--porcelain"])).toBe(` M ${tenant}`);
  });

  it("--check and --diff write nothing, exit 1; git applies the diff and gets what fmt writes", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    writeFileSync(join(dir, tenant), untidy);

    const checked = await orrery("fmt", "--check", dir);
    const diff = await orrery("fmt", "--diff", join(dir, tenant));

    expect(checked).toEqual({ exit: 1, out: join(dir, tenant), notes: "" });
    expect(diff.exit).toBe(1);
    expect(readFileSync(join(dir, tenant), "utf8")).toBe(untidy);
    const patch = diff.out.replaceAll(join(dir, tenant), tenant);
    writeFileSync(home.join("patch"), `${patch}\n`);
    shell(dir, [`git apply -p0 ${shellWord(home.join("patch"))}`], {});
    expect(readFileSync(join(dir, tenant), "utf8")).toBe(tidy);
  });

  it("leaves alone what is no document of the repository, and what lies behind a link", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    const others = [".ci.yaml", "tenants/acme/files/vex/x.yaml", "keys/x.yaml"];
    mkdirSync(join(dir, "keys"));
    for (const name of others) writeFileSync(join(dir, name), untidy);
    writeFileSync(home.join("outside.yaml"), untidy);
    symlinkSync(home.join("outside.yaml"), join(dir, "tenants/acme/dags/link.yaml"));

    const { exit, out } = await orrery("fmt", dir);

    expect([exit, out]).toEqual([0, ""]);
    for (const name of others) expect(readFileSync(join(dir, name), "utf8")).toBe(untidy);
    expect(readFileSync(home.join("outside.yaml"), "utf8")).toBe(untidy);
  });

  it("works on a bare file and on a folder outside of any repository", async () => {
    using home = scratchDir();
    mkdirSync(home.join("some/deep"), { recursive: true });
    for (const name of ["some/a.yml", "some/deep/b.yaml", "some/c.txt"]) writeFileSync(home.join(name), untidy);

    const folder = await orrery("fmt", home.join("some"), "-o", "json");
    const file = await orrery("fmt", home.join("some/c.txt"));

    expect(JSON.parse(folder.out)).toEqual({
      changed: [home.join("some/a.yml"), home.join("some/deep/b.yaml")],
      findings: [],
    });
    expect(file.out).toBe(home.join("some/c.txt"));
    expect(readFileSync(home.join("some/c.txt"), "utf8")).toBe(tidy);
  });

  it("reports what cannot be read with its place, leaves it, formats the rest; exit 1", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    const broken = "a: 1\na: 2\n";
    writeFileSync(join(dir, tenant), untidy);
    writeFileSync(join(dir, "tenants/acme/dags/broken.yaml"), broken);
    writeFileSync(join(dir, "tenants/acme/dags/large.yaml"), `a: "${"x".repeat(300_000)}"\n`);

    const { exit, out, notes } = await orrery("fmt", dir);

    expect(exit).toBe(1);
    expect(out).toBe(join(dir, tenant));
    expect(notes).toMatch(/broken\.yaml:2:1 error ORY2004 SPEC_DUPLICATE_KEY/);
    expect(notes).toMatch(/large\.yaml error ORY2003 SPEC_TOO_LARGE/);
    expect(readFileSync(join(dir, "tenants/acme/dags/broken.yaml"), "utf8")).toBe(broken);
  });

  it("no control character of a name or a text reaches the terminal", async () => {
    using home = scratchDir();
    mkdirSync(home.join("some"));
    writeFileSync(home.join("some/\u001b[31m\u202e.yaml"), "a:   1 # \u001b]0;title\u0007\n");
    writeFileSync(home.join("some/broken\u009b.yaml"), "a: \u001b[2J\na: 2\n");

    const shown = await Promise.all([
      orrery("fmt", "--check", home.join("some")),
      orrery("fmt", "--diff", home.join("some")),
    ]);

    for (const { out, notes } of shown)
      expect(out + notes).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it("refuses a path that is not there, a bare repository, and - among others; exit 2, nothing written", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    writeFileSync(join(dir, tenant), untidy);
    stockGit(home.path, ["clone", "-q", "--bare", dir, "bare.git"]);

    const exits = [];
    for (const argv of [[dir, home.join("none")], [home.join("bare.git")], ["-", dir]])
      exits.push((await orrery("fmt", ...argv)).exit);

    expect(exits).toEqual([2, 2, 2]);
    expect(readFileSync(join(dir, tenant), "utf8")).toBe(untidy);
  });
});
