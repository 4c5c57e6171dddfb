import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import { bareCommit, commitFiles, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";

const refsOfGit = (dir: string, prefix: string): readonly string[] => {
  const out = stockGit(dir, ["for-each-ref", "--format=%(objectname) %(refname)"]);
  return out.split("\n").filter((row) => row.slice(41).startsWith(prefix));
};

describe("refs", () => {
  it("are those that git lists: loose, packed, both, nested, symbolic", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    commitFiles(dir, { a: "1" });
    for (const name of ["feature/x/y", "feature/x/z", "audit/hub"]) stockGit(dir, ["branch", name]);
    stockGit(dir, ["tag", "-a", "v1", "-m", "tag"]);
    stockGit(dir, ["pack-refs", "--all"]);
    commitFiles(dir, { a: "2" });
    stockGit(dir, ["branch", "-f", "feature/x/y"]);
    stockGit(dir, ["branch", "loose"]);
    stockGit(dir, ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"]);
    stockGit(dir, ["update-ref", "refs/orrery/sites/hq/applied", "HEAD"]);
    using repository = openRepository(dir);

    for (const prefix of [
      "refs/",
      "refs/heads/",
      "refs/heads/feature/x",
      "refs/heads/a",
      "refs/orrery/",
      "refs/none/",
    ]) {
      const ours = repository.listRefs(prefix).map(({ ref, oid }) => `${oid} ${ref}`);
      expect([prefix, ours]).toEqual([prefix, refsOfGit(dir, prefix)]);
    }
    for (const row of refsOfGit(dir, "refs/")) expect(repository.readRef(row.slice(41))).toBe(row.slice(0, 40));
    expect(repository.readRef("HEAD")).toBe(stockGit(dir, ["rev-parse", "main"]));
  });

  it("ten thousand that somebody pushed and gc packed are listed in one reading", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const head = commitFiles(dir, { a: "1" });
    const names = Array.from({ length: 10_000 }, (_, n) => `refs/orrery/approvals/${String(n).padStart(40, "0")}/x`);
    const rows = names.map((name) => `${head} ${name}\n`).join("");
    writeFileSync(join(dir, ".git", "packed-refs"), `# pack-refs with: peeled fully-peeled sorted \n${rows}`);
    stockGit(dir, ["update-ref", names[1] ?? "", stockGit(dir, ["rev-parse", "HEAD^{tree}"])]);
    using repository = openRepository(dir);
    const started = performance.now();

    const listed = repository.listRefs("refs/orrery/approvals/");

    // Reading packed-refs for each of them took half a minute.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(listed.map(({ ref, oid }) => `${oid} ${ref}`)).toEqual(refsOfGit(dir, "refs/orrery/approvals/"));
  });

  it("are null when absent, deleted from packed-refs, only a prefix, or symbolic to nothing", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    commitFiles(dir, { a: "1" });
    stockGit(dir, ["branch", "gone"]);
    stockGit(dir, ["branch", "a/b"]);
    stockGit(dir, ["pack-refs", "--all"]);
    stockGit(dir, ["branch", "-q", "-D", "gone"]);
    stockGit(dir, ["symbolic-ref", "refs/heads/dangling", "refs/heads/nowhere"]);
    using repository = openRepository(dir);

    for (const ref of ["refs/heads/none", "refs/heads/gone", "refs/heads/a", "refs/heads", "refs/heads/dangling"]) {
      expect([ref, repository.readRef(ref)]).toEqual([ref, null]);
    }
  });

  it.each(["main", "", "refs/../config", "refs/heads/../../config", "refs/heads/x.lock", "refs/heads/a b"])(
    "refuses %j, which is no full ref name",
    (ref) => {
      using scratch = scratchDir();
      using repository = openRepository(stockRepository(scratch.join("r")));

      expect(() => repository.readRef(ref)).toThrow("is not a full ref name");
    },
  );

  it("call a torn ref file, a cut packed-refs and a circle corrupt, never absent", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const oid = bareCommit(dir, "x");
    writeFileSync(join(dir, ".git/refs/heads/torn"), "");
    writeFileSync(join(dir, ".git/refs/heads/half"), oid.slice(0, 20));
    writeFileSync(join(dir, ".git/refs/heads/one"), "ref: refs/heads/two\n");
    writeFileSync(join(dir, ".git/refs/heads/two"), "ref: refs/heads/one\n");
    using repository = openRepository(dir);

    for (const name of ["torn", "half"]) {
      expect(() => repository.readRef(`refs/heads/${name}`)).toThrow("holds no object id");
    }
    expect(() => repository.readRef("refs/heads/one")).toThrow("symbolic");
    writeFileSync(join(dir, ".git/packed-refs"), `${oid} refs/heads/whole\n${oid} refs/heads/cu`);
    expect(() => repository.readRef("refs/heads/whole")).toThrow("packed-refs is cut off");
    rmSync(join(dir, ".git/packed-refs"));
    expect(repository.listRefs("refs/heads/")).toEqual([]);
  });

  it("of a linked worktree: HEAD its own, branches shared", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const first = commitFiles(dir, { a: "1" });
    stockGit(dir, ["worktree", "add", "-q", "-b", "side", scratch.join("tree")]);
    const second = commitFiles(dir, { a: "2" });
    stockGit(dir, ["pack-refs", "--all"]);
    using repository = openRepository(scratch.join("tree"));

    expect(repository.readRef("HEAD")).toBe(first);
    expect(repository.readRef("refs/heads/main")).toBe(second);
    expect(repository.bare).toBe(false);
  });
});
