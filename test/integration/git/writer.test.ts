import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import {
  createGitWriter,
  createRepository,
  type DurableFs,
  encodeCommit,
  graftTree,
  hashObject,
  nodeDurableFs,
  type Oid,
  openRepository,
  toOid,
} from "../../../src/git/index.ts";
import { parseGitConfig } from "../../../src/git/read/git-config.ts";
import { ownershipOf } from "../../../src/git/write/ownership.ts";
import { bareCommit, commitFiles, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";

const ident = { name: "orrery recorder", email: "audit@hq", seconds: 1_700_000_000, offset: "+0000" };
const audit = "refs/heads/audit/hq";

async function setup(options: { readonly bare?: boolean } = { bare: true }) {
  const scratch = scratchDir();
  const dir = stockRepository(scratch.join("r"), options);
  const repository = openRepository(dir);
  const writer = createGitWriter(repository);
  const commits = ["one", "two", "three"].map((message) => toOid(bareCommit(dir, message)));
  const [one, two, three] = commits as [Oid, Oid, Oid];
  const swap = (ref: string, expected: Oid | null, next: Oid) =>
    writer.compareAndSwapRef({ ref, expected, next, message: "batch 1", ident });
  await Promise.resolve();
  return {
    scratch,
    dir,
    repository,
    writer,
    swap,
    one,
    two,
    three,
    [Symbol.dispose]: () => {
      repository[Symbol.dispose]();
      scratch[Symbol.dispose]();
    },
  };
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Fault) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing thrown";
};

describe("writing objects", () => {
  it("makes what stock git reads, read-only, each once and in order", async () => {
    using bundle = await setup();
    const { dir, writer } = bundle;
    const list = ["a", "b", "a", "c"].map((text) => ({ type: "blob" as const, body: Buffer.from(text) }));

    const oids = await writer.putObjects(list);
    const empty = await writer.putObject("blob", new Uint8Array(0));

    expect(oids.map((oid) => stockGit(dir, ["cat-file", "blob", oid]))).toEqual(["a", "b", "a", "c"]);
    expect(stockGit(dir, ["cat-file", "-s", empty])).toBe("0");
    expect(statSync(join(dir, "objects", empty.slice(0, 2), empty.slice(2))).mode & 0o777).toBe(0o444);
    expect(stockGit(dir, ["fsck", "--strict"])).not.toMatch(/error|missing|corrupt/u);
  });

  it.each([
    ["empty", Buffer.alloc(0)],
    ["cut", Buffer.from([0x78, 0x01])],
    ["full of zeros", Buffer.alloc(40)],
  ])("replaces a file that a crash left %s, which stock git would leave torn", async (_, torn) => {
    using bundle = await setup();
    const { dir, writer } = bundle;
    const oid = hashObject("blob", Buffer.from("hello"));
    const path = join(dir, "objects", oid.slice(0, 2), oid.slice(2));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, torn);

    await writer.putObject("blob", Buffer.from("hello"));

    expect(stockGit(dir, ["cat-file", "blob", oid])).toBe("hello");
  });

  it("leaves a good object as it is", async () => {
    using bundle = await setup();
    const { dir, writer } = bundle;
    const oid = await writer.putObject("blob", Buffer.from("hello"));
    const path = join(dir, "objects", oid.slice(0, 2), oid.slice(2));
    const before = statSync(path).ino;

    await writer.putObject("blob", Buffer.from("hello"));

    expect(statSync(path).ino).toBe(before);
  });

  it("takes another temporary name when chance repeats itself, and removes what a crash left of the same object", async () => {
    using bundle = await setup();
    const { dir, repository } = bundle;
    const writer = createGitWriter(repository, { random: () => 0.5 });
    const oid = hashObject("blob", Buffer.from("x"));
    mkdirSync(join(dir, "objects", oid.slice(0, 2)), { recursive: true });
    const left = join(dir, "objects", oid.slice(0, 2), `tmp_obj_${oid.slice(2, 14)}_800000000000`);
    writeFileSync(left, "left by a crash");

    await writer.putObject("blob", Buffer.from("x"));

    expect(existsSync(left)).toBe(false);

    expect(stockGit(dir, ["cat-file", "blob", oid])).toBe("x");
  });

  it.each([
    ["EACCES", "write"],
    ["EROFS", "rename"],
    ["ENOSPC", "sync"],
  ] as const)("turns %s into REPO_NOT_WRITABLE and leaves no temporary file", async (errno, at) => {
    using bundle = await setup();
    const { dir, repository } = bundle;
    const fail = (): Promise<never> => Promise.reject(Object.assign(new Error(errno), { code: errno }));
    const fs: DurableFs = {
      ...nodeDurableFs,
      rename: (from, to) => (at === "rename" ? fail() : nodeDurableFs.rename(from, to)),
      create: async (path, mode) => {
        const file = await nodeDurableFs.create(path, mode);
        return {
          close: () => file.close(),
          write: at === "write" ? fail : (bytes) => file.write(bytes),
          sync: at === "sync" ? fail : () => file.sync(),
        };
      },
    };

    const outcome = await codeOf(createGitWriter(repository, { fs }).putObject("blob", Buffer.from("x")));

    expect(outcome).toBe(`REPO_NOT_WRITABLE: cannot write the repository (${errno})`);
    expect(stockGit(dir, ["count-objects", "-v"])).toContain("garbage: 0");
  });
});

describe("owner, group and core.sharedRepository", () => {
  const facts = { uid: 1234, gid: 4321, mode: 0o040755, modifiedMs: 0, isDirectory: true };

  it.skipIf(process.geteuid?.() !== 0)("as root, gives everything to the repository's owner (needs root)", async () => {
    using bundle = await setup();
    const { dir, swap, one, writer } = bundle;
    for (const path of ["", "objects", "refs", "refs/heads"]) chownSync(join(dir, path), 1234, 4321);

    const oid = await writer.putObject("blob", Buffer.from("owned"));
    stockGit("/", ["config", "-f", join(dir, "config"), "core.logAllRefUpdates", "always"]);
    await swap(audit, null, one);

    const made = [
      `objects/${oid.slice(0, 2)}`,
      `objects/${oid.slice(0, 2)}/${oid.slice(2)}`,
      "refs/heads/audit",
      audit,
      "logs",
      `logs/${audit}`,
    ];
    for (const path of made) {
      const { uid, gid } = statSync(join(dir, path));
      expect([path, uid, gid]).toEqual([path, 1234, 4321]);
    }
  });

  it("refuses a foreign repository that is not shared, and says both ways out", () => {
    const open = (): unknown => ownershipOf(nodeDurableFs, parseGitConfig("[core]\n"), facts, 1000);

    expect(open).toThrow("the repository belongs to uid 1234, we are uid 1000");
    expect(open).toThrow("git config core.sharedRepository group");
    expect(() =>
      ownershipOf(nodeDurableFs, parseGitConfig("[core]\nsharedRepository = group\n"), facts, 1000),
    ).not.toThrow();
  });

  it.each(["group", "all", "0660", "0640", "true", "umask"])(
    "sets the modes that stock git sets for %s",
    async (value) => {
      using bundle = await setup();
      const { dir, swap, writer, one } = bundle;
      stockGit(dir, ["config", "core.sharedRepository", value]);
      const twin = stockRepository(bundle.scratch.join("twin"), { bare: true });
      stockGit(twin, ["config", "core.sharedRepository", value]);
      const tree = stockGit(twin, ["mktree"], { input: "" });
      stockGit(twin, ["update-ref", audit, stockGit(twin, ["commit-tree", tree, "-m", "one"])]);

      const oid = await writer.putObject("blob", Buffer.from("mode"));
      stockGit(twin, ["hash-object", "-w", "--stdin"], { input: "mode" });
      await swap(audit, null, one);

      const modeOf = (root: string, path: string): string => (statSync(join(root, path)).mode & 0o7777).toString(8);
      for (const path of [
        `objects/${oid.slice(0, 2)}`,
        `objects/${oid.slice(0, 2)}/${oid.slice(2)}`,
        "refs/heads/audit",
        audit,
      ]) {
        expect([path, modeOf(dir, path)]).toEqual([path, modeOf(twin, path)]);
      }
    },
  );
});

describe("compare and swap of a ref", () => {
  it("creates, moves, and refuses what moved, loose and packed", async () => {
    using bundle = await setup();
    const { dir, repository, swap, one, two, three } = bundle;

    const outcomes = [
      await swap(audit, one, two),
      await swap(audit, null, one),
      await swap(audit, null, two),
      await swap(audit, one, two),
    ];
    stockGit(dir, ["pack-refs", "--all"]);
    outcomes.push(await swap(audit, one, three), await swap(audit, two, three));

    expect(outcomes).toEqual(["moved", "ok", "moved", "ok", "moved", "ok"]);
    expect(repository.readRef(audit)).toBe(three);
    expect(stockGit(dir, ["rev-parse", audit])).toBe(three);
    expect(existsSync(join(dir, `${audit}.lock`))).toBe(false);
  });

  it("is busy under another's lock and leaves it alone", async () => {
    using bundle = await setup();
    const { dir, swap, one } = bundle;
    mkdirSync(join(dir, "refs/heads/audit"), { recursive: true });
    writeFileSync(join(dir, `${audit}.lock`), "theirs");

    const outcome = await swap(audit, null, one);

    expect(outcome).toBe("busy");
    expect(readFileSync(join(dir, `${audit}.lock`), "utf8")).toBe("theirs");
  });

  it.each(["refs/heads/main", "HEAD", "refs/tags/x", "refs/heads/audit", "refs/orrery", "refs/heads/audit/../main"])(
    "never writes %s",
    async (ref) => {
      using bundle = await setup();
      const { swap, one } = bundle;

      expect(await codeOf(swap(ref, null, one))).toContain("INTERNAL: refused to write");
    },
  );

  it.each([false, true])("refuses a branch above or below the audit branch (packed: %s)", async (packed) => {
    using bundle = await setup();
    const { dir, repository, swap, one } = bundle;
    stockGit(dir, ["update-ref", "refs/heads/audit", one]);
    stockGit(dir, ["update-ref", "refs/orrery/sites/hq/applied", one]);
    if (packed) stockGit(dir, ["pack-refs", "--all"]);

    const below = await codeOf(swap(audit, null, one));
    const above = await codeOf(swap("refs/orrery/sites/hq", null, one));

    expect(below).toBe(
      `REF_CONFLICT: ${audit} cannot be written: refs/heads/audit is a ref; rename it with git branch -m`,
    );
    expect(above).toContain(
      "REF_CONFLICT: refs/orrery/sites/hq cannot be written: refs/orrery/sites/hq/applied is a ref",
    );
    expect(repository.listRefs("refs/").map(({ ref }) => ref)).toEqual([
      "refs/heads/audit",
      "refs/orrery/sites/hq/applied",
    ]);
  });

  it("writes over the empty directory that deleted refs leave, and refuses a full one", async () => {
    using bundle = await setup();
    const { dir, swap, one } = bundle;
    mkdirSync(join(dir, audit), { recursive: true });
    mkdirSync(join(dir, "refs/heads/audit/full"), { recursive: true });
    writeFileSync(join(dir, "refs/heads/audit/full/junk"), "junk");

    expect(await swap(audit, null, one)).toBe("ok");
    expect(await codeOf(swap("refs/heads/audit/full", null, one))).toContain("REF_CONFLICT");
    expect(existsSync(join(dir, "refs/heads/audit/full.lock"))).toBe(false);
  });

  it("does not write through a symbolic ref, nor point a branch at nothing or at a blob", async () => {
    using bundle = await setup();
    const { dir, swap, writer, one } = bundle;
    stockGit(dir, ["update-ref", "refs/heads/main", one]);
    stockGit(dir, ["symbolic-ref", audit, "refs/heads/main"]);
    const blob = await writer.putObject("blob", Buffer.from("x"));

    expect(await codeOf(swap(audit, one, one))).toContain("REF_CONFLICT");
    expect(await codeOf(swap("refs/heads/audit/b", null, blob))).toContain("must be a commit");
    expect(await codeOf(swap("refs/heads/audit/b", null, toOid("1".repeat(40))))).toContain("REPO_CORRUPT");
    expect(await swap("refs/orrery/approvals/x/y", null, blob)).toBe("ok");
    expect(existsSync(join(dir, `${audit}.lock`))).toBe(false);
  });

  it.each([
    ["a bare repository", true, "", false],
    ["a bare repository with logs", true, "true", true],
    ["a work tree", false, "", true],
    ["a work tree without logs", false, "false", false],
  ])("keeps a reflog where git would: %s", async (_, bare, setting, logged) => {
    using bundle = await setup({ bare });
    const { dir, swap, one, two } = bundle;
    if (setting !== "") stockGit(dir, ["config", "core.logAllRefUpdates", setting]);

    await swap(audit, null, one);
    await swap(audit, one, two);
    await swap("refs/orrery/sites/hq/applied", null, one);

    const rows = (ref: string): string => stockGit(dir, ["reflog", "show", "--format=%H %gn %ge %gs", ref]);
    const expected = [two, one].map((oid) => `${oid} orrery recorder audit@hq batch 1`).join("\n");
    expect(rows(audit)).toBe(logged ? expected : "");
    expect(rows("refs/orrery/sites/hq/applied")).toBe("");
  });

  it("goes without a reflog where a deleted branch left a file in its place", async () => {
    using bundle = await setup({ bare: false });
    const { dir, swap, one } = bundle;
    mkdirSync(join(dir, ".git/logs/refs/heads"), { recursive: true });
    writeFileSync(join(dir, ".git/logs/refs/heads/audit"), "old\n");

    expect(await swap(audit, null, one)).toBe("ok");
  });

  it("works in a linked worktree: the branch is shared", async () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const head = toOid(commitFiles(dir, { a: "1" }));
    stockGit(dir, ["worktree", "add", "-q", "-b", "side", scratch.join("tree")]);
    using repository = openRepository(scratch.join("tree"));

    await createGitWriter(repository).compareAndSwapRef({ ref: audit, expected: null, next: head, message: "", ident });

    expect(stockGit(dir, ["rev-parse", audit])).toBe(head);
  });
});

describe("a lock that a crash left", () => {
  const now = new Date("2026-11-24T00:00:00Z");
  const lockOf = (dir: string, text: string, ageMs: number): string => {
    const path = join(dir, `${audit}.lock`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    const at = new Date(now.getTime() - ageMs);
    utimesSync(path, at, at);
    return path;
  };

  it("is removed when it is ours and old, and only then", async () => {
    using bundle = await setup();
    const { dir, writer, one, two } = bundle;
    const judge = async (text: string, ageMs: number): Promise<readonly unknown[]> => {
      const path = lockOf(dir, text, ageMs);
      const outcome = await writer.removeStaleLock({ ref: audit, ours: new Set([one]), now });
      return [outcome, existsSync(path)];
    };

    expect(await judge(`${one}\n`, 11_000)).toEqual(["removed", false]);
    expect(await judge("", 11_000)).toEqual(["removed", false]);
    expect(await judge(one.slice(0, 7), 11_000)).toEqual(["removed", false]);
    expect(await judge("\0".repeat(41), 11_000)).toEqual(["removed", false]);
    expect(await judge(`${one}\n`, 9_000)).toEqual(["young", true]);
    expect(await judge(`${two}\n`, 99_000)).toEqual(["foreign", true]);
    expect(await judge("other", 99_000)).toEqual(["foreign", true]);
    rmSync(join(dir, `${audit}.lock`));
    expect(await writer.removeStaleLock({ ref: audit, ours: new Set([one]), now })).toBe("none");
  });
});

describe("grafting files onto a tree", () => {
  it("gives the tree that stock git gives, reading only the trees on the way", async () => {
    using bundle = await setup();
    const { dir, repository, writer } = bundle;
    const blob = stockGit(dir, ["hash-object", "-w", "--stdin"], { input: "old" });
    const other = stockGit(dir, ["mktree"], { input: `100644 blob ${blob}\tuntouched\n` });
    const day = stockGit(dir, ["mktree"], { input: `100644 blob ${blob}\t1.ndjson\n` });
    const base = stockGit(dir, ["mktree"], {
      input: `040000 tree ${other}\tother\n040000 tree ${day}\tday\n100755 blob ${blob}\trun\n100644 blob ${blob}\tcheckpoint\n`,
    });
    const reads: string[] = [];
    const watched = { readTree: (oid: Oid) => (reads.push(oid), repository.readTree(oid)) };
    const files = new Map([
      ["day/2.ndjson", Buffer.from("2")],
      ["checkpoint", Buffer.from("new")],
      ["x/y/z", Buffer.from("z")],
    ]);

    const { root, objects } = graftTree(watched, toOid(base), files, { replace: new Set(["checkpoint"]) });
    const oids = await writer.putObjects(objects);

    expect(reads).toEqual([base, day]);
    expect(oids).toEqual(objects.map(({ oid }) => oid));
    const [two, fresh, zed] = ["2", "new", "z"].map((text) => hashObject("blob", Buffer.from(text)));
    expect(stockGit(dir, ["ls-tree", "-r", root]).split("\n")).toEqual([
      `100644 blob ${String(fresh)}\tcheckpoint`,
      `100644 blob ${blob}\tday/1.ndjson`,
      `100644 blob ${String(two)}\tday/2.ndjson`,
      `100644 blob ${blob}\tother/untouched`,
      `100755 blob ${blob}\trun`,
      `100644 blob ${String(zed)}\tx/y/z`,
    ]);
    expect(stockGit(dir, ["fsck", "--strict"])).not.toMatch(/error|missing|warning/u);
    const again = graftTree(repository, toOid(base), new Map([...files].reverse()), {
      replace: new Set(["checkpoint"]),
    });
    expect(again.objects.map(({ oid }) => oid)).toEqual(objects.map(({ oid }) => oid));
  });

  it.each([
    ["a file that is there", "a/f", "a/f is there already"],
    ["a file in a directory's place", "a", "a is there already"],
    ["a directory in a file's place", "a/f/g", "a/f is there already"],
  ])("refuses to replace %s", async (_, path, message) => {
    using bundle = await setup();
    const { repository, writer } = bundle;
    const first = graftTree(repository, null, new Map([["a/f", Buffer.from("1")]]));
    await writer.putObjects(first.objects);

    const graft = (): unknown => graftTree(repository, first.root, new Map([[path, Buffer.from("1")]]));

    expect(graft).toThrow(message);
    expect(graft).toThrow(expect.objectContaining({ code: "TREE_CONFLICT" }));
  });

  it.each(["", "/a", "a//b", "../a", ".git/hooks/x", "a\\b", "a\nb", "a/"])("refuses the path %j", async (path) => {
    using bundle = await setup();
    const { repository } = bundle;

    expect(() => graftTree(repository, null, new Map([[path, Buffer.from("1")]]))).toThrow("refused to write a path");
    expect(() =>
      graftTree(
        repository,
        null,
        new Map([
          ["p", Buffer.alloc(0)],
          ["p/q", Buffer.alloc(0)],
        ]),
      ),
    ).toThrow("p is there");
  });
});

describe("a new repository", () => {
  it("is one to stock git: fsck, clone, push; with HEAD, and guarded", async () => {
    using scratch = scratchDir();
    const dir = scratch.join("new/specs.git");
    await createRepository(dir, { bare: true, head: "refs/heads/main" });
    stockGit(scratch.path, ["clone", "-q", dir, scratch.join("work")]);
    const head = commitFiles(scratch.join("work"), { a: "1" });
    stockGit(scratch.join("work"), ["push", "-q", "origin", "HEAD:refs/heads/main"]);
    using repository = openRepository(dir);
    const tree = graftTree(repository, null, new Map([["f", Buffer.from("f")]]));
    const writer = createGitWriter(repository);
    const commit = encodeCommit({
      tree: tree.root,
      parents: [],
      author: ident,
      committer: ident,
      message: "batch 1\n",
    });
    await writer.putObjects(tree.objects);
    const next = await writer.putObject("commit", commit);
    await writer.compareAndSwapRef({ ref: audit, expected: null, next, message: "", ident });

    const push = (refspec: string): string => {
      try {
        stockGit(scratch.join("work"), ["push", "-q", "origin", refspec]);
        return "pushed";
      } catch (error) {
        return (error as Error).message;
      }
    };
    const amended = bareCommit(scratch.join("work"), "other root");

    expect(repository.bare).toBe(true);
    expect(repository.readRef("HEAD")).toBe(head);
    expect(stockGit(dir, ["fsck", "--strict"])).toBe("");
    expect(stockGit(dir, ["config", "core.filemode"])).toBe("true");
    expect(push(`+${amended}:refs/heads/main`)).toContain("non-fast-forward");
    expect(push(":refs/heads/main")).toContain("deletion prohibited");
    expect(push(`${head}:refs/heads/audit/other`)).toContain("written by the recorder alone");
    expect(push(`${head}:refs/heads/feature`)).toBe("pushed");
  });

  it("does not touch a repository or directory that is there", async () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    mkdirSync(scratch.join("full"));
    writeFileSync(scratch.join("full/file"), "mine");
    mkdirSync(scratch.join("empty"));
    const create = (name: string) =>
      codeOf(createRepository(scratch.join(name), { bare: true, head: "refs/heads/main" }));

    expect(await create("r")).toContain("REPO_NOT_WRITABLE");
    expect(await create("full")).toContain("REPO_NOT_WRITABLE");
    expect(await create("empty")).toBe("nothing thrown");
    expect(stockGit(dir, ["status", "--porcelain"])).toBe("");
    expect(readFileSync(scratch.join("full/file"), "utf8")).toBe("mine");
    expect(existsSync(scratch.join(`full.init-${String(process.pid)}`))).toBe(false);
  });
});
