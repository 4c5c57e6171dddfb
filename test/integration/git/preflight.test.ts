import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { openRepository, preflight } from "../../../src/git/index.ts";
import { commitFiles, gitEnvironment, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";

const openFault = (path: string): Fault => {
  try {
    openRepository(path)[Symbol.dispose]();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("opened");
};

const runFix = (fix: string): void => {
  execFileSync("sh", ["-ec", fix], { env: gitEnvironment(), stdio: "pipe" });
};

describe("the pre-flight", () => {
  it("finds nothing in ordinary repositories, and with what we know to be harmless", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    commitFiles(dir, { a: "1" });
    stockGit(scratch.path, ["clone", "-q", "--bare", dir, scratch.join("b.git")]);
    stockGit(scratch.path, ["clone", "-q", dir, scratch.join("clone")]);
    stockGit(dir, ["config", "core.repositoryformatversion", "1"]);
    stockGit(dir, ["config", "extensions.worktreeConfig", "true"]);
    stockGit(dir, ["config", "extensions.objectFormat", "sha1"]);

    expect(["r", "b.git", "clone"].map((name) => preflight(scratch.join(name)))).toEqual([[], [], []]);
  });

  it("says that there is no repository: missing, empty, a file, a work tree without its .git", () => {
    using scratch = scratchDir();
    mkdirSync(scratch.join("empty"));
    writeFileSync(scratch.join("file"), "");
    mkdirSync(scratch.join("lost"));
    writeFileSync(scratch.join("lost/.git"), "gitdir: /nowhere\n");

    for (const name of ["missing", "empty", "file", "lost"]) {
      const [finding] = preflight(scratch.join(name));
      expect(finding?.code).toBe("REPO_NOT_FOUND");
      expect(finding?.fix).toBe(`orrery init ${scratch.join(name)}`);
    }
  });

  it("refuses SHA-256, and its fix makes a repository that opens", () => {
    using scratch = scratchDir();
    const dir = scratch.join("r.git");
    stockGit(scratch.path, ["init", "-q", "--bare", "--object-format=sha256", "-b", "main", dir]);
    const tree = stockGit(dir, ["mktree"], { input: "" });
    stockGit(dir, ["update-ref", "refs/heads/main", stockGit(dir, ["commit-tree", tree, "-m", "x"])]);

    const fault = openFault(dir);
    runFix(String(fault.fields["fix"]));

    expect([fault.code, fault.message]).toEqual(["REPO_UNSUPPORTED", expect.stringContaining("sha256")]);
    using fixed = openRepository(`${dir}.sha1`);
    expect(fixed.readRef("refs/heads/main")).not.toBeNull();
  });

  it("refuses a shallow clone, and its fix makes it open", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    commitFiles(dir, { a: "1" });
    commitFiles(dir, { a: "2" });
    const clone = scratch.join("it's shallow");
    stockGit(scratch.path, ["clone", "-q", "--depth=1", `file://${dir}`, clone]);

    const fault = openFault(clone);
    runFix(String(fault.fields["fix"]));

    expect([fault.code, fault.message]).toEqual(["REPO_UNSUPPORTED", expect.stringContaining("shallow")]);
    expect(preflight(clone)).toEqual([]);
  });

  it("refuses a partial clone, by its config and by its packs, and its fix makes a full one", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    commitFiles(dir, { a: "1" });
    stockGit(dir, ["config", "uploadpack.allowFilter", "true"]);
    const clone = scratch.join("p.git");
    stockGit(scratch.path, ["clone", "-q", "--bare", "--filter=blob:none", `file://${dir}`, clone]);

    const fault = openFault(clone);
    for (const key of ["remote.origin.promisor", "extensions.partialClone"]) {
      try {
        stockGit(clone, ["config", "--unset", key]);
      } catch {
        // Which of the two keys is written depends on the version of git.
      }
    }
    const byPack = openFault(clone);
    runFix(String(fault.fields["fix"]));

    expect([fault.code, fault.message]).toEqual(["REPO_UNSUPPORTED", expect.stringContaining("partial clone")]);
    expect(byPack.message).toContain("partial clone");
    expect(preflight(`${clone}.full`)).toEqual([]);
  });

  it("refuses reftable (imitated: this git cannot make one) with the command that migrates it", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    stockGit(dir, ["config", "core.repositoryformatversion", "1"]);
    stockGit(dir, ["config", "extensions.refStorage", "reftable"]);
    writeFileSync(join(dir, ".git/HEAD"), "ref: refs/heads/.invalid\n");
    rmSync(join(dir, ".git/refs/heads"), { recursive: true });
    writeFileSync(join(dir, ".git/refs/heads"), "this repository uses the reftable format\n");

    const fault = openFault(dir);

    expect(fault.code).toBe("REPO_UNSUPPORTED");
    expect(fault.fields["fix"]).toContain("refs migrate --ref-format=files");
  });

  it("refuses extensions and versions that nobody here knows", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    stockGit(dir, ["config", "extensions.futureThing", "true"]);
    const inFormat0 = preflight(dir);
    stockGit(dir, ["config", "core.repositoryformatversion", "1"]);
    const inFormat1 = preflight(dir);
    writeFileSync(join(dir, ".git/config"), "[core]\n\trepositoryformatversion = 2\n");
    const inFormat2 = preflight(dir);

    expect(inFormat0).toEqual([]);
    expect(inFormat1.map(({ message }) => message)).toEqual(["extension futurething is not known"]);
    expect(inFormat2.map(({ message }) => message)).toEqual(["repository format 2 is newer than 1"]);
  });

  it("refuses a mirror clone, and its fix keeps the audit branch over a pruning fetch", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const head = commitFiles(dir, { a: "1" });
    const mirror = scratch.join("m.git");
    stockGit(scratch.path, ["clone", "-q", "--mirror", dir, mirror]);

    const fault = openFault(mirror);
    runFix(String(fault.fields["fix"]));
    stockGit(mirror, ["update-ref", "refs/heads/audit/hq", head]);
    stockGit(mirror, ["fetch", "-q", "--prune"]);

    expect(fault.code).toBe("REPO_MIRROR");
    using repository = openRepository(mirror);
    expect(repository.readRef("refs/heads/audit/hq")).toBe(head);
  });

  it("names a config that cannot be read instead of guessing", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    writeFileSync(join(dir, ".git/config"), "[core\n");

    const fault = openFault(dir);

    expect(fault.code).toBe("REPO_CORRUPT");
    expect(fault.message).toContain("config line 1");
  });
});
