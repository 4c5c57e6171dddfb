import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replaceFile } from "../../../src/cli/fmt/replace-file.ts";
import { scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { exampleWorkTree, orrery } from "./cli-fixture.ts";

const hello = "tenants/acme/dags/hello.yaml";
// Public halves of two keys that nobody has.
const ana = "ana@acme.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0ZYBk4zEvRezG1Ef//gdYBd4AWLE8hkBQkOw6ZCy/U";
const omar = "omar@hq.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILgzm5LGnZFQFgvZlcSPq+APgrloXQ7IEDkrbMSmyL4s";

interface LintJson {
  readonly findings: readonly {
    readonly code: string;
    readonly number: string;
    readonly cause: string;
    readonly path: string;
    readonly line: number;
    readonly message: string;
    readonly rule: {
      readonly path: string;
      readonly line: number;
      readonly commit: string | null;
      readonly changedBy: readonly string[];
    } | null;
  }[];
}

/** A committed work tree that holds hello alone. */
function workTree(home: { readonly path: string; join(...parts: string[]): string }): string {
  const dir = exampleWorkTree(home as Parameters<typeof exampleWorkTree>[0]);
  for (const name of ["tenants/borealis", "tenants/acme/dags", "tenants/acme/slo.yaml"])
    rmSync(join(dir, name), { recursive: true });
  stockGit(dir, ["checkout", "--", hello]);
  stockGit(dir, ["add", "-A"]);
  stockGit(dir, ["commit", "-q", "-m", "clean"]);
  return dir;
}

const edit = (file: string, change: (text: string) => string): void =>
  writeFileSync(file, change(readFileSync(file, "utf8")));

async function findingsOf(...argv: string[]): Promise<LintJson["findings"]> {
  const { out } = await orrery("lint", ...argv, "-o", "json");
  return (JSON.parse(out) as LintJson).findings;
}

describe("a file that is replaced", () => {
  it("is left alone where it changed after it was read, or is a link by now; nothing else is left beside it", () => {
    using home = scratchDir();
    const file = home.join("a.yaml");
    writeFileSync(file, "mine\n");
    symlinkSync("a.yaml", home.join("link.yaml"));

    expect(replaceFile(file, "new\n", Buffer.from("old\n"))).toBe(false);
    expect(replaceFile(home.join("link.yaml"), "new\n", Buffer.from("mine\n"))).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("mine\n");
    expect(replaceFile(file, "new\n", Buffer.from("mine\n"))).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("new\n");
    expect(readdirSync(home.path).sort()).toEqual(["a.yaml", "link.yaml"]);
  });
});

describe("orrery lint --fix", () => {
  it("does not stumble over a file that an earlier version left behind, and does not remove it", async () => {
    using home = scratchDir();
    const dir = workTree(home);
    edit(join(dir, hello), (text) => text.replace("rationale:", "rationle:"));
    writeFileSync(join(dir, `${hello}.orrery-fix`), "somebody's");

    const { exit, notes } = await orrery("lint", "--fix", dir);

    expect(exit).toBe(0);
    expect(notes).toContain("rationle is rationale");
    expect(readFileSync(join(dir, `${hello}.orrery-fix`), "utf8")).toBe("somebody's");
  });

  it("makes the safe fixes, says which, keeps comments and mode, and changes nothing the second time", async () => {
    using home = scratchDir();
    const dir = workTree(home);
    const file = join(dir, hello);
    edit(file, (text) => `# mine\n${text.replace("kind: Dag\n", "").replace("rationale:", "rationle:")}`);
    const mode = statSync(file).mode;

    const first = await orrery("lint", "--fix", dir);
    const fixed = readFileSync(file, "utf8");
    const second = await orrery("lint", "--fix", dir);

    expect(first.exit).toBe(0);
    expect(first.notes).toContain(`fixed ${hello}:`);
    expect(fixed).toContain("# mine");
    expect(fixed).toContain("kind: Dag");
    expect(fixed).toContain("rationale:");
    expect(statSync(file).mode).toBe(mode);
    expect(second.notes).not.toContain("fixed");
    expect(readFileSync(file, "utf8")).toBe(fixed);
    expect(stockGit(dir, ["status", "--porcelain", "-uall"]).trim()).toBe(`M ${hello}`);
  });

  it("leaves a commit alone", async () => {
    using home = scratchDir();
    const dir = workTree(home);

    const { exit, notes } = await orrery("lint", "--fix", "--ref", "main", dir);

    expect(exit).toBe(2);
    expect(notes).toContain("work tree");
  });
});

describe("the rule that refused", () => {
  it("is named by file, line, the commit that brought it in, and who may change it", async () => {
    using home = scratchDir();
    const dir = workTree(home);
    mkdirSync(join(dir, "keys"), { recursive: true });
    writeFileSync(join(dir, "keys/spec_signers"), `${ana}\n`);
    edit(join(dir, "tenants/acme/quota.yaml"), (text) => text.replace(/memory: \S+,/, "memory: 96Mi,"));
    stockGit(dir, ["add", "-A"]);
    stockGit(dir, ["commit", "-q", "-m", "a smaller ceiling"]);
    const refusing = stockGit(dir, ["rev-parse", "HEAD"]).trim();
    edit(join(dir, "tenants/acme/quota.yaml"), (text) => `# said later\n${text}`);
    stockGit(dir, ["commit", "-qam", "a comment"]);
    edit(join(dir, hello), (text) => text.replace(/(\s+)(uses: core\.log@1\.0\.0)/, "$1limits: { memory: 97Mi }$1$2"));

    const [finding] = (await findingsOf(dir)).filter(({ code }) => code === "LIMIT_OVER_QUOTA");

    const lines = readFileSync(join(dir, "tenants/acme/quota.yaml"), "utf8").split("\n");
    expect(finding?.rule).toMatchObject({
      path: "tenants/acme/quota.yaml",
      line: lines.findIndex((line) => line.includes("96Mi")) + 1,
      commit: refusing,
      changedBy: ["ana@acme.example"],
    });
    expect(finding).toMatchObject({ number: "ORY3005", path: hello });
    expect(finding?.cause).not.toBe("");
  });
});

describe("who may change a rule", () => {
  it("is who trust.paths gives the file to", async () => {
    using home = scratchDir();
    const dir = workTree(home);
    mkdirSync(join(dir, "keys"), { recursive: true });
    writeFileSync(join(dir, "keys/spec_signers"), `${ana}\n${omar}\n`);
    const rules =
      '    paths: [{ match: "tenants/*/quota.yaml", by: ops, approvals: 1 }, { match: "**", by: everyone }]';
    writeFileSync(
      join(dir, "orrery.yaml"),
      `apiVersion: orrery/v1\nkind: Repository\nspec:\n  trust:\n    groups: { ops: [omar@hq.example] }\n${rules}\n`,
    );
    edit(join(dir, hello), (text) => text.replace(/(\s+)(uses: core\.log@1\.0\.0)/, "$1limits: { memory: 8Gi }$1$2"));

    const { out } = await orrery("lint", dir);

    expect(out).toMatch(/quota\.yaml:\d+ .*may be changed by omar@hq\.example, with 1 approval of others/);
  });
});

describe("what lint sees besides", () => {
  it("warns of a schedule that falls into a gap of its clock, with the date", async () => {
    using home = scratchDir();
    const dir = workTree(home);
    edit(join(dir, hello), (text) =>
      text.replace("spec:\n", 'spec:\n  schedules: [{ cron: "30 2 * * *", timezone: Europe/Vienna }]\n'),
    );

    const findings = await findingsOf(dir, "--as-of", "2026-12-01");

    const said = findings.filter(({ code }) => code === "SCHEDULE_DST").map(({ message }) => message);
    expect(said).toHaveLength(2);
    expect(said.join("\n")).toContain("2027-03-28 Europe/Vienna has no 02:30");
    expect(said.join("\n")).toContain("2027-10-31 Europe/Vienna shows 02:30 twice");
  });

  it("finds a secret in a file and in a spec, and shows it in no output", async () => {
    using home = scratchDir();
    const dir = workTree(home);
    const canary = `ghp_${"q7Rk".repeat(9)}`;
    mkdirSync(join(dir, "tenants/acme/files/notes"), { recursive: true });
    writeFileSync(join(dir, "tenants/acme/files/notes/a.txt"), `one\ntoken ${canary}\n`);
    edit(join(dir, hello), (text) => text.replace(/message: .*/, `message: "${canary}" }`));

    const outputs = await Promise.all(
      ["text", "json", "sarif", "github"].map((format) => orrery("lint", dir, "-o", format)),
    );

    for (const { exit, out, notes } of outputs) {
      expect(exit).toBe(1);
      expect(out).toContain("tenants/acme/files/notes/a.txt");
      expect(out + notes).not.toContain(canary);
    }
  });
});
