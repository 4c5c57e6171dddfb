import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hookScript } from "../../../src/cli/hook/hook-script.ts";
import { ownCommand } from "../../../src/cli/hook/own-command.ts";
import { shellWord } from "../../../src/cli/place/shell-word.ts";
import { type ScratchDir, scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { exampleWorkTree, nobodysEnvironment, openHome, orrery } from "./cli-fixture.ts";

const hello = "tenants/acme/dags/hello.yaml";

/** Only what lints clean, and a bare repository that it was pushed to. */
function openPair(home: ScratchDir): { readonly work: string; readonly bare: string } {
  const work = exampleWorkTree(home);
  for (const name of ["tenants/borealis", "tenants/acme/dags"]) rmSync(join(work, name), { recursive: true });
  stockGit(work, ["checkout", "--", hello]);
  rmSync(join(work, "tenants/acme/slo.yaml"));
  mkdirSync(join(work, "keys"));
  writeFileSync(join(work, "keys/spec_signers"), "");
  stockGit(work, ["add", "-A"]);
  stockGit(work, ["commit", "-q", "-m", "clean"]);
  stockGit(home.path, ["clone", "-q", "--bare", work, "bare.git"]);
  stockGit(work, ["remote", "add", "origin", home.join("bare.git")]);
  return { work, bare: home.join("bare.git") };
}

function change(work: string, text: string, message: string): void {
  writeFileSync(join(work, hello), text);
  stockGit(work, ["commit", "-q", "-a", "-m", message]);
}

interface GitRun {
  readonly status: number | null;
  readonly said: string;
}

/** git as a person runs it: it may fail, and what it says counts. */
function git(home: ScratchDir, cwd: string, args: readonly string[]): GitRun {
  const env = { PATH: process.env["PATH"] ?? "", HOME: home.path, GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
  const identity = ["-c", "user.name=Ana", "-c", "user.email=ana@acme.example"];
  const { status, stdout, stderr } = spawnSync("git", [...identity, ...args], { cwd, env, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

// Each hook starts a process of its own.
describe("the update hook", { timeout: 180_000 }, () => {
  it("lets a push pass that lints, and refuses one that does not: findings with place, and the ref stays", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openPair(home);
    const { exit, out } = await orrery("hook", "install", bare);
    const clean = readFileSync(join(work, hello), "utf8");

    change(work, `# fine\n${clean}`, "fine");
    const passed = git(home, work, ["push", "-q", "origin", "main"]);
    const standing = stockGit(bare, ["rev-parse", "main"]);
    change(work, clean.replace("uses:", "use:"), "broken");
    const refused = git(home, work, ["push", "-q", "origin", "main"]);
    const elsewhere = git(home, work, ["push", "-q", "origin", "main:draft"]);

    expect([exit, out]).toEqual([0, `wrote ${join(bare, "hooks/update")}`]);
    expect(passed).toEqual({ status: 0, said: "" });
    expect(refused.status).not.toBe(0);
    expect(refused.said).toMatch(/remote: tenants\/acme\/dags\/hello\.yaml:\d+:\d+ error ORY2006 SPEC_UNKNOWN_KEY/);
    expect(refused.said).toContain("refs/heads/main stays as it is");
    expect(stockGit(bare, ["rev-parse", "main"])).toBe(standing);
    expect(elsewhere.status).toBe(0);
  });

  it("refuses a DAG that is not granted; a warning alone passes, and so does a ref that goes", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openPair(home);
    await orrery("hook", "install", "--update", "--ref", "spec", bare);
    stockGit(work, ["rm", "-q", "keys/spec_signers"]);
    stockGit(work, ["commit", "-q", "-m", "a warning"]);

    const warned = git(home, work, ["push", "-q", "origin", "main:spec"]);
    stockGit(work, ["rm", "-q", "tenants/acme/allowlist.yaml"]);
    stockGit(work, ["commit", "-q", "-m", "a denial"]);
    const denied = git(home, work, ["push", "-q", "origin", "main:spec"]);
    const gone = git(home, work, ["push", "-q", "origin", ":spec"]);

    expect([warned.status, gone.status]).toEqual([0, 0]);
    expect(denied.said).toMatch(/denied ORY3\d{3} PLUGIN_NOT_ALLOWED/);
    expect(denied.status).not.toBe(0);
  });

  it("sees objects that are still in quarantine, from a pre-receive hook that calls it", () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openPair(home);
    const call = `${ownCommand().map(shellWord).join(" ")} hook run update "$ref" "$old" "$new" || exit 1`;
    const script = `#!/bin/sh\n[ -n "$GIT_QUARANTINE_PATH" ] || exit 9\nwhile read old new ref; do ${call}; done\n`;
    mkdirSync(join(bare, "hooks"), { recursive: true });
    writeFileSync(join(bare, "hooks/pre-receive"), script, { mode: 0o755 });
    const clean = readFileSync(join(work, hello), "utf8");

    change(work, `# fine\n${clean}`, "fine");
    const passed = git(home, work, ["push", "-q", "origin", "main"]);
    change(work, clean.replace("core.log@1.0.0", "core.log@9.0.0"), "broken");
    const refused = git(home, work, ["push", "-q", "origin", "main"]);

    expect(passed).toEqual({ status: 0, said: "" });
    expect(refused.said).toContain("no plugin core.log@9.0.0");
    expect(stockGit(bare, ["log", "-1", "--format=%s", "main"])).toBe("fine");
  });

  it("refuses when the program that it calls is gone, whatever the path looks like", () => {
    using home = scratchDir();
    const odd = home.join("it's a $(touch pwned) place");
    mkdirSync(odd);
    writeFileSync(join(odd, "run"), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    const script = home.join("update");
    writeFileSync(script, hookScript({ name: "update", ref: "refs/heads/main", command: [join(odd, "run")] }));
    const call = (ref: string) => spawnSync("/bin/sh", [script, ref, "a", "b"], { cwd: home.path, encoding: "utf8" });

    const found = call("refs/heads/main");
    rmSync(odd, { recursive: true });
    const lost = call("refs/heads/main");

    expect(found.stdout).toBe("hook run update refs/heads/main a b\n");
    expect([lost.status, lost.stderr]).toEqual([1, expect.stringContaining("run orrery hook install again")]);
    expect(call("refs/heads/draft").status).toBe(0);
    expect([call("refs/heads/audit/hq").status, call("refs/orrery/sites/hq/applied").status]).toEqual([1, 1]);
    expect(existsSync(home.join("pwned"))).toBe(false);
  });
});

const broken = `tenants/acme/dags/old.yaml`;

/** A pair whose head holds one error that nobody has put right. */
function openBrokenPair(home: ScratchDir): ReturnType<typeof openPair> {
  const pair = openPair(home);
  writeFileSync(join(pair.work, broken), readFileSync(join(pair.work, hello), "utf8").replace("uses:", "use:"));
  stockGit(pair.work, ["add", "-A"]);
  stockGit(pair.work, ["commit", "-q", "-m", "an old sin"]);
  stockGit(pair.work, ["push", "-q", "origin", "main"]);
  return pair;
}

describe("hooks and what was wrong before", { timeout: 180_000 }, () => {
  it("a push that brings no finding passes, and counts what stands; one more in the same document is refused alone", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openBrokenPair(home);
    await orrery("hook", "install", bare);
    const push = () => git(home, work, ["push", "-q", "origin", "main"]);

    change(work, `# fine\n${readFileSync(join(work, hello), "utf8")}`, "harmless");
    const passed = push();
    const old = readFileSync(join(work, broken), "utf8");
    writeFileSync(join(work, broken), `# lines move\n${old}`.replace("kind: Dag", "kind: Dag\nkid: 1"));
    stockGit(work, ["commit", "-q", "-a", "-m", "worse"]);
    const worse = push();
    writeFileSync(join(work, broken), old.replace("use:", "uses:"));
    stockGit(work, ["commit", "-q", "-a", "-m", "put right"]);
    const right = push();

    expect(passed.status).toBe(0);
    expect(passed.said).toMatch(/orrery lets commit [0-9a-f]{12} pass; stood before, .*: \d errors? in \d+ documents/);
    expect(passed.said).not.toContain("old.yaml");
    expect(worse.status).not.toBe(0);
    expect(worse.said).toMatch(/old\.yaml:\d+:\d+ error ORY2006 SPEC_UNKNOWN_KEY .*kid/);
    expect(worse.said).not.toMatch(/SPEC_UNKNOWN_KEY .*\buse\b/);
    expect(worse.said).toMatch(/not counted, for it stood before/);
    expect(right).toEqual({ status: 0, said: "" });
  });

  it("what a push causes in a document that it does not touch is refused: an allowlist that no longer grants", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openBrokenPair(home);
    await orrery("hook", "install", bare);
    const allowlist = join(work, "tenants/acme/allowlist.yaml");

    writeFileSync(allowlist, readFileSync(allowlist, "utf8").replace(/^ +- \{ name: "core.*\n/m, ""));
    stockGit(work, ["commit", "-q", "-a", "-m", "grant less"]);
    const refused = git(home, work, ["push", "-q", "origin", "main"]);

    expect(refused.status).not.toBe(0);
    expect(refused.said).toMatch(/dags\/hello\.yaml:\d+:\d+ denied ORY3\d{3} PLUGIN_NOT_ALLOWED/);
    expect(refused.said).not.toMatch(/old\.yaml:\d+/);
  });

  it("of a ref that is new everything counts", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openBrokenPair(home);
    await orrery("hook", "install", "--ref", "spec", bare);

    const refused = git(home, work, ["push", "-q", "origin", "main:spec"]);

    expect(refused.status).not.toBe(0);
    expect(refused.said).toMatch(/old\.yaml:\d+:\d+ error ORY2006/);
  });

  it("a rewound branch is held to the one that it replaces", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openBrokenPair(home);
    change(work, `# fine\n${readFileSync(join(work, hello), "utf8")}`, "harmless");
    const text = readFileSync(join(work, broken), "utf8");
    stockGit(work, ["rm", "-q", broken]);
    stockGit(work, ["commit", "-q", "-m", "gone"]);
    stockGit(work, ["push", "-q", "origin", "main"]);
    await orrery("hook", "install", bare);

    const rewound = git(home, work, ["push", "-q", "-f", "origin", "main^:main"]);

    expect(text).toContain("use:");
    expect(rewound.status).not.toBe(0);
    expect(rewound.said).toMatch(/old\.yaml:\d+:\d+ error ORY2006/);
  });

  it("a commit is held to its HEAD; the first one of a repository to nothing", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work } = openBrokenPair(home);
    await orrery("hook", "install", work);
    const young = home.join("young");
    stockGit(home.path, ["init", "-q", "-b", "main", "--template=", young]);
    await orrery("hook", "install", young);
    mkdirSync(join(young, "tenants/acme/dags"), { recursive: true });
    writeFileSync(join(young, broken), readFileSync(join(work, broken), "utf8"));
    stockGit(young, ["add", "-A"]);

    writeFileSync(join(work, hello), `# fine\n${readFileSync(join(work, hello), "utf8")}`);
    const passed = git(home, work, ["commit", "-q", "-a", "-m", "harmless"]);
    writeFileSync(join(work, "tenants/acme/dags/new.yaml"), readFileSync(join(work, broken), "utf8"));
    stockGit(work, ["add", "-A"]);
    const refused = git(home, work, ["commit", "-q", "-m", "another one"]);
    const first = git(home, young, ["commit", "-q", "-m", "first"]);

    expect([passed.status, passed.said]).toEqual([0, expect.stringContaining("stood before")]);
    expect(refused.status).toBe(1);
    expect(refused.said).toMatch(/new\.yaml:\d+:\d+ error ORY2006/);
    expect(refused.said).not.toMatch(/old\.yaml:\d+/);
    expect([first.status, first.said]).toEqual([1, expect.stringMatching(/old\.yaml:\d+:\d+ error ORY2006/)]);
  });
});

describe("the pre-commit hook", { timeout: 180_000 }, () => {
  it("judges what is staged, not what lies in the work tree", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work } = openPair(home);
    const clean = readFileSync(join(work, hello), "utf8");
    const { out } = await orrery("hook", "install", work);

    writeFileSync(join(work, hello), clean.replace("uses:", "use:"));
    stockGit(work, ["add", hello]);
    writeFileSync(join(work, hello), clean);
    const refused = git(home, work, ["commit", "-q", "-m", "staged and broken"]);
    writeFileSync(join(work, hello), `# fine\n${clean}`);
    stockGit(work, ["add", hello]);
    writeFileSync(join(work, hello), "broken: [");
    const passed = git(home, work, ["commit", "-q", "-m", "staged and fine"]);

    expect(out).toBe(`wrote ${join(work, ".git/hooks/pre-commit")}`);
    expect(refused.said).toMatch(/hello\.yaml:\d+:\d+ error/);
    expect(refused.said).toContain("orrery refuses what is about to be committed: ");
    expect([refused.status, passed]).toEqual([1, { status: 0, said: "" }]);
    expect(stockGit(work, ["log", "-1", "--format=%s"])).toBe("staged and fine");
  });

  it("judges what `commit FILE` takes, and works in a linked work tree", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work } = openPair(home);
    stockGit(work, ["worktree", "add", "-q", home.join("linked")]);
    await orrery("hook", "install", home.join("linked"));
    const linked = home.join("linked");
    writeFileSync(join(linked, hello), `# fine\n${readFileSync(join(linked, hello), "utf8")}`);
    writeFileSync(join(linked, "tenants/acme/quota.yaml"), "broken: [");

    const one = git(home, linked, ["commit", "-q", "-m", "one", hello]);
    const all = git(home, linked, ["commit", "-q", "-a", "-m", "all"]);

    expect(one).toEqual({ status: 0, said: "" });
    expect([all.status, all.said]).toEqual([1, expect.stringMatching(/quota\.yaml:\d+:\d+ error ORY2001/)]);
  });
});

describe("orrery hook install", () => {
  it("takes over the hook of a repository that init made, with all that it refuses", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    await orrery("init", home.join("specs.git"), "--data", home.join("data"), "--key", home.key);

    const { exit } = await orrery("hook", "install", home.join("specs.git"));

    const script = readFileSync(home.join("specs.git/hooks/update"), "utf8");
    expect(exit).toBe(0);
    expect(script).toContain("refs/heads/audit/*|refs/orrery/sites/*)");
    expect(script).toContain("hook run update");
  });

  it("writes its own hook again; refuses a foreign one, exit 3, until --force puts it aside", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { bare } = openPair(home);
    const hook = join(bare, "hooks/update");
    const install = (...more: string[]) => orrery("hook", "install", bare, "-o", "json", ...more);
    mkdirSync(join(bare, "hooks"), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\nexit 0 # mine\n");
    chmodSync(hook, 0o755);

    const refused = await install();
    const untouched = readFileSync(hook, "utf8");
    const forced = await install("--force");
    const again = await install("--ref", "spec");

    expect([refused.exit, untouched]).toEqual([3, "#!/bin/sh\nexit 0 # mine\n"]);
    expect(refused.notes).toContain("HOOK_FOREIGN");
    expect(JSON.parse(forced.out)).toEqual({ installed: [{ file: hook, kept: `${hook}.before-orrery` }] });
    expect(readFileSync(`${hook}.before-orrery`, "utf8")).toContain("# mine");
    expect(JSON.parse(again.out)).toEqual({ installed: [{ file: hook, kept: null }] });
    expect(readFileSync(hook, "utf8")).toContain("refs/heads/spec");
  });

  it("refuses hooks that other repositories share, a ref that is none, a folder that is no repository; exit 2 and 4", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);
    const { work, bare } = openPair(home);
    stockGit(work, ["config", "core.hooksPath", home.join("shared")]);

    const exits = [];
    for (const argv of [[work], [bare, "--ref", "a b"], [bare, "--pre-commit"], [home.path]])
      exits.push((await orrery("hook", "install", ...argv)).exit);

    expect(exits.slice(0, 3)).toEqual([2, 2, 2]);
    expect(exits[3]).not.toBe(0);
    expect(existsSync(home.join("shared"))).toBe(false);
  });
});
