import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import git from "isomorphic-git";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { type GitRepository, hashObject, openRepository, toOid } from "../../../src/git/index.ts";
import {
  bareCommit,
  commitFiles,
  type ScratchDir,
  scratchDir,
  stockGit,
  stockGitBytes,
  stockRepository,
} from "../../support/git-fixtures.ts";

/** Every object of the repository by stock git: `oid type` and bytes. */
function allObjects(dir: string): readonly { readonly oid: string; readonly type: string; readonly body: Buffer }[] {
  const out = stockGitBytes(dir, ["cat-file", "--batch-all-objects", "--batch"]);
  const objects = [];
  for (let at = 0; at < out.length; ) {
    const end = out.indexOf(0x0a, at);
    const [oid = "", type = "", size = "0"] = out.toString("latin1", at, end).split(" ");
    objects.push({ oid, type, body: out.subarray(end + 1, end + 1 + Number(size)) });
    at = end + 2 + Number(size);
  }
  return objects;
}

function expectSameObjects(repository: GitRepository, dir: string): void {
  const objects = allObjects(dir);
  expect(objects.length).toBeGreaterThan(0);
  for (const { oid, type, body } of objects) {
    const read = repository.readObject(toOid(oid));
    expect([oid, read.type, read.body.equals(body)]).toEqual([oid, type, true]);
  }
}

const faultOfRead = (work: () => unknown): Fault => {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("nothing thrown");
};

let template: ScratchDir;
beforeAll(() => {
  template = scratchDir();
  makeRichRepository(template.join("loose"));
  cpSync(template.join("loose"), template.join("packed"), { recursive: true, verbatimSymlinks: true });
  stockGit(template.join("packed"), ["gc", "-q"]);
});
afterAll(() => template[Symbol.dispose]());

/** A copy of its own of the rich repository. */
function richRepository(dir: string, form: "loose" | "packed" = "packed"): string {
  cpSync(template.join(form), dir, { recursive: true, verbatimSymlinks: true });
  return dir;
}

/** A history with nested directories, all kinds of entries, a tag, a merge and a file that grows. */
function makeRichRepository(dir: string): void {
  stockRepository(dir);
  const line = (n: number): string => `line ${String(n)} ${hashObject("blob", Buffer.from(String(n)))}\n`;
  let grown = Array.from({ length: 400 }, (_, n) => line(n)).join("");
  commitFiles(dir, {
    "a/b/c.txt": "c",
    "a.txt": "a",
    "a-b": "ab",
    "grown.txt": grown,
    "tenants/acme/dags/x.yaml": "x",
  });
  symlinkSync("a.txt", join(dir, "link"));
  for (let version = 0; version < 40; version++) {
    grown += line(1000 + version);
    commitFiles(dir, { "grown.txt": grown, [`tenants/acme/dags/d${String(version)}.yaml`]: String(version) });
  }
  stockGit(dir, ["update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},module`]);
  stockGit(dir, ["commit", "-q", "-m", "submodule"]);
  stockGit(dir, ["checkout", "-q", "-b", "side", "HEAD~3"]);
  commitFiles(dir, { side: "side" });
  stockGit(dir, ["checkout", "-q", "main"]);
  stockGit(dir, ["merge", "-q", "--no-ff", "-m", "merge", "side"]);
  stockGit(dir, ["tag", "-a", "v1", "-m", "tag"]);
}

describe("reading objects", () => {
  it("gives the bytes that stock git gives, loose and packed, before and after a repack", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"), "loose");

    using loose = openRepository(dir);
    expectSameObjects(loose, dir);
    stockGit(dir, ["repack", "-q", "-a", "-d", "-f", "--depth=50"]);
    expectSameObjects(loose, dir);
    using packed = openRepository(dir, { cacheBytes: 0 });
    expectSameObjects(packed, dir);
  });

  it("reads delta chains that are 150 deep, with and without a cache", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const versions = Array.from({ length: 200 }, (_, n) => {
      const text = Array.from(
        { length: 300 },
        (_, row) => `${String(row)} ${String(row === n ? "changed" : row)}\n`,
      ).join("");
      const blob = `M 100644 inline f\ndata ${String(text.length)}\n${text}`;
      return `commit refs/heads/main\ncommitter A <a@x> ${String(n)} +0000\ndata 1\nx\n${blob}`;
    });
    stockGit(dir, ["fast-import", "--quiet", "--depth=180"], { input: versions.join("") });

    using cached = openRepository(dir);
    using uncached = openRepository(dir, { cacheBytes: 0 });
    expectSameObjects(cached, dir);
    expectSameObjects(uncached, dir);

    expect(stockGit(dir, ["verify-pack", "-v", ...packNames(dir, ".idx")])).toMatch(/chain length = 1[5-8]\d/u);
  });

  it("reads packs with reference deltas, a multi-pack-index and a commit-graph", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    const packs = join(dir, ".git/objects/pack");
    const pack = stockGitBytes(dir, ["pack-objects", "--all", "--stdout", "--no-delta-base-offset", "-q"], {
      input: "",
    });
    rmSync(join(dir, ".git/objects"), { recursive: true });
    mkdirSync(packs, { recursive: true });
    writeFileSync(join(packs, "pack-x.pack"), pack);
    stockGit(dir, ["index-pack", join(packs, "pack-x.pack")]);
    commitFiles(dir, { later: "later" });
    stockGit(dir, ["repack", "-q", "-d"]);
    stockGit(dir, ["multi-pack-index", "write"]);
    stockGit(dir, ["commit-graph", "write", "--reachable"]);

    using repository = openRepository(dir);

    expectSameObjects(repository, dir);
  });

  it("reads bare repositories, linked worktrees and alternates of alternates", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    const head = stockGit(dir, ["rev-parse", "main"]);
    stockGit(scratch.path, ["clone", "-q", "--bare", dir, scratch.join("bare.git")]);
    stockGit(dir, ["worktree", "add", "-q", scratch.join("tree"), "side"]);
    stockGit(scratch.path, ["clone", "-q", "--shared", dir, scratch.join("shared")]);
    stockGit(scratch.path, ["clone", "-q", "--shared", "--bare", scratch.join("shared"), scratch.join("shared2.git")]);

    const cases = ["r", "r/.git", "bare.git", "tree", "shared", "shared2.git"].map((name) => {
      using repository = openRepository(scratch.join(name));
      const read = repository.readCommit(toOid(head)).tree;
      const tip = name === "tree" ? repository.readRef("HEAD") : repository.readRef("refs/heads/main");
      expectSameObjects(repository, scratch.join(name));
      return [name, repository.bare, read, tip];
    });

    const tree = stockGit(dir, ["rev-parse", "main^{tree}"]);
    const side = stockGit(dir, ["rev-parse", "side"]);
    expect(cases).toEqual([
      ["r", false, tree, head],
      ["r/.git", false, tree, head],
      ["bare.git", true, tree, head],
      ["tree", false, tree, side],
      ["shared", false, tree, head],
      ["shared2.git", true, tree, head],
    ]);
  });

  it("takes commits and trees apart as isomorphic-git does", async () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    using repository = openRepository(dir);
    const head = repository.readRef("refs/heads/main")!;

    const theirs = await git.readCommit({ fs: nodeFs, dir, oid: head });
    const ours = repository.readCommit(head);
    const theirTree = await git.readTree({ fs: nodeFs, dir, oid: ours.tree });

    expect(ours).toMatchObject({
      tree: theirs.commit.tree,
      parents: theirs.commit.parent,
      message: theirs.commit.message,
      author: { name: theirs.commit.author.name, seconds: theirs.commit.author.timestamp, offset: "+0000" },
      signature: null,
      defect: null,
    });
    // The library sorts by bare name.
    const byName = repository.readTree(ours.tree).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName.map(({ name, oid }) => [name, oid])).toEqual(theirTree.tree.map(({ path, oid }) => [path, oid]));
  });
});

describe("trees and history", () => {
  it("walks the files that git ls-tree -r lists, in its order", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    using repository = openRepository(dir);
    const { tree } = repository.readCommit(repository.readRef("refs/heads/main")!);

    const walked = [...repository.walkTree(tree)].map(({ path, entry }) => `${entry.mode} ${entry.oid}\t${path}`);

    const listed = stockGit(dir, ["ls-tree", "-r", "main"]).replaceAll(/ (?:blob|commit) /gu, " ");
    expect(walked).toEqual(listed.split("\n"));
    expect(walked.join("\n")).toContain(`160000 ${"1".repeat(40)}\tmodule`);
    expect(walked.join("\n")).toMatch(/^120000 \w+\tlink$/mu);
    const below = repository.entryAt(tree, "tenants/acme")!;
    const sub = [...repository.walkTree(below.oid, "tenants/acme")].map(({ path }) => path);
    expect(sub).toEqual(
      listed
        .split("\n")
        .map((row) => row.split("\t")[1])
        .filter((path) => path?.startsWith("tenants/")),
    );
  });

  it("finds entries by path and goes through no symlink, submodule or bad name", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    using repository = openRepository(dir);
    const { tree } = repository.readCommit(repository.readRef("refs/heads/main")!);
    const blob = stockGit(dir, ["rev-parse", "main:a/b/c.txt"]);

    expect(repository.entryAt(tree, "a/b/c.txt")).toMatchObject({ kind: "blob", oid: blob, defect: null });
    expect(repository.entryAt(tree, "a/b")?.kind).toBe("tree");
    for (const path of ["", "a/", "/a", "a//b", "a/b/c.txt/d", "link/x", "module/x", "none", "A/b", "a/../a.txt"]) {
      expect([path, repository.entryAt(tree, path)]).toEqual([path, null]);
    }
  });

  it("shows an evil name as a defect and does not walk into it", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const blob = stockGit(dir, ["hash-object", "-w", "--stdin"], { input: "x" });
    const inner = stockGit(dir, ["mktree"], { input: `100644 blob ${blob}\tconfig\n` });
    const rows = [`40000 .git\0`, `40000 good\0`].map((row) =>
      Buffer.concat([Buffer.from(row), Buffer.from(inner, "hex")]),
    );
    const root = stockGit(dir, ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], {
      input: Buffer.concat(rows),
    });
    using repository = openRepository(dir);

    const walked = [...repository.walkTree(toOid(root))];

    expect(walked.map(({ path, entry }) => [path, entry.defect === null])).toEqual([
      [".git", false],
      ["good/config", true],
    ]);
    expect(repository.entryAt(toOid(root), ".git/config")).toBeNull();
  });

  it("ends on a tree that is too deep or holds too many entries", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const nest = (rows: number, below: string): string =>
      stockGit(dir, ["mktree"], {
        input: Array.from({ length: rows }, (_, n) => `040000 tree ${below}\td${String(n)}\n`).join(""),
      });
    let deep = stockGit(dir, ["mktree"], { input: "" });
    let wide = stockGit(dir, ["mktree"], { input: "" });
    for (let level = 0; level < 70; level++) deep = nest(1, deep);
    for (let level = 0; level < 7; level++) wide = nest(10, wide);
    using repository = openRepository(dir);

    const nested = [...repository.walkTree(toOid(deep))];
    const counted = faultOfRead(() => [...repository.walkTree(toOid(wide))]);

    expect(nested.map(({ entry }) => entry.defect)).toEqual(["nested too deep"]);
    expect(counted.code).toBe("OBJECT_TOO_LARGE");
  });

  it("answers ancestry as git merge-base does, without recursion", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    const line = Array.from(
      { length: 3000 },
      (_, n) => `commit refs/heads/long\nmark :${String(n + 1)}\ncommitter A <a@x> 1 +0000\ndata 1\nx\n`,
    );
    stockGit(dir, ["fast-import", "--quiet"], { input: line.join("") });
    const revisions = ["main", "side", "main~1", "main~20", "v1^{commit}", "long", "long~2999"];
    const oids = revisions.map((revision) => toOid(stockGit(dir, ["rev-parse", revision])));
    using repository = openRepository(dir);

    const ours = oids.map((a) => oids.map((b) => repository.isAncestor(a, b)));

    const isAncestorInGit = (a: string, b: string): boolean => {
      try {
        stockGit(dir, ["merge-base", "--is-ancestor", a, b]);
        return true;
      } catch {
        return false;
      }
    };
    expect(ours).toEqual(oids.map((a) => oids.map((b) => isAncestorInGit(a, b))));
  });
});

const packNames = (dir: string, suffix: string): readonly string[] => {
  const packs = join(dir, ".git/objects/pack");
  return readdirSync(packs)
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(packs, name));
};

describe("damage and bombs", () => {
  const looseFile = (dir: string, oid: string): string => join(dir, ".git/objects", oid.slice(0, 2), oid.slice(2));
  const plant = (dir: string, oid: string, bytes: Uint8Array): void => {
    rmSync(looseFile(dir, oid), { force: true });
    mkdirSync(join(dir, ".git/objects", oid.slice(0, 2)), { recursive: true });
    writeFileSync(looseFile(dir, oid), bytes);
  };

  it.each([
    ["an empty file", Buffer.alloc(0)],
    ["a cut file", deflateSync(Buffer.from("blob 5\0hello")).subarray(0, 10)],
    ["no deflate stream", Buffer.from("blob 5\0hello")],
    ["another object", deflateSync(Buffer.from("blob 5\0HELLO"))],
    ["a wrong size", deflateSync(Buffer.from("blob 4\0hello"))],
    ["an unknown type", deflateSync(Buffer.from("blub 5\0hello"))],
    ["a padded size", deflateSync(Buffer.from("blob 05\0hello"))],
    ["no header", deflateSync(Buffer.alloc(5000, "a"))],
  ])("names the loose object that is %s", (_, bytes) => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const oid = hashObject("blob", Buffer.from("hello"));
    plant(dir, oid, bytes);
    using repository = openRepository(dir);

    const fault = faultOfRead(() => repository.readBlob(oid));

    expect([fault.code, fault.fields["oid"]]).toEqual(["REPO_CORRUPT", oid]);
    expect(repository.hasObject(oid)).toBe(false);
  });

  it("does not hang on a FIFO in an object's place", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const oid = hashObject("blob", Buffer.from("hello"));
    plant(dir, oid, Buffer.alloc(0));
    rmSync(looseFile(dir, oid));
    execFileSync("mkfifo", [looseFile(dir, oid)]);
    using repository = openRepository(dir);

    expect(faultOfRead(() => repository.readBlob(oid)).code).toBe("REPO_CORRUPT");
  });

  it("refuses a large object by its header, loose, packed and as a delta's result", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const big = Buffer.alloc(3 << 20, "x");
    const oid = hashObject("blob", big);
    stockGit(dir, ["hash-object", "-w", "--stdin"], { input: big });
    // 48 copies of the base in 2 KB: the delta itself stays under the cap, what it makes does not.
    const base = Buffer.alloc(65_536, "y");
    const made = Buffer.concat(Array.from({ length: 48 }, () => base));
    using repository = openRepository(dir, { maxObjectBytes: 1 << 20 });

    const loose = faultOfRead(() => repository.readBlob(oid));
    plantPack(dir, [
      { body: big },
      { body: base },
      { delta: deltaOf(base.length, made.length, 48), base: hashObject("blob", base), oid: hashObject("blob", made) },
    ]);
    rmSync(looseFile(dir, oid));
    const packed = faultOfRead(() => repository.readBlob(oid));
    const delta = faultOfRead(() => repository.readBlob(hashObject("blob", made)));

    expect([loose.code, packed.code, delta.code]).toEqual(Array(3).fill("OBJECT_TOO_LARGE"));
    using wider = openRepository(dir);
    expect(wider.readBlob(hashObject("blob", made)).equals(made)).toBe(true);
    expect(repository.hasObject(oid)).toBe(true);
  });

  it("names the objects of a pack with a changed byte and still reads the others", () => {
    using scratch = scratchDir();
    const dir = richRepository(scratch.join("r"));
    stockGit(dir, ["repack", "-q", "-a", "-d", "--depth=0"]);
    const objects = allObjects(dir);
    const [pack = ""] = packNames(dir, ".pack");
    const bytes = readFileSync(pack);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    rmSync(pack);
    writeFileSync(pack, bytes);
    using repository = openRepository(dir);

    const outcomes = objects.map(({ oid }) => {
      try {
        return repository.readObject(toOid(oid)).type;
      } catch (error) {
        return (error as Fault).code;
      }
    });

    expect(outcomes.filter((outcome) => outcome === "REPO_CORRUPT").length).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => outcome !== "REPO_CORRUPT").length).toBeGreaterThan(objects.length / 2);
  });

  it("takes a good loose copy where the packed one is damaged, and reads beside a bad index", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const oid = toOid(stockGit(dir, ["hash-object", "-w", "--stdin"], { input: "hello" }));
    plantPack(dir, [{ body: Buffer.from("HELLO"), oid }]);
    writeFileSync(join(dir, ".git/objects/pack/pack-bad.idx"), Buffer.alloc(2000, 1));

    using repository = openRepository(dir);

    expect(repository.readBlob(oid).toString()).toBe("hello");
  });

  it("does not follow a delta chain in a circle", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const [a, b] = [hashObject("blob", Buffer.from("a")), hashObject("blob", Buffer.from("b"))];
    plantPack(dir, [
      { delta: Buffer.from([1, 1, 1, 65]), base: b, oid: a },
      { delta: Buffer.from([1, 1, 1, 66]), base: a, oid: b },
    ]);
    using repository = openRepository(dir);

    expect(faultOfRead(() => repository.readBlob(a)).message).toContain("delta chain too deep");
  });

  it("survives any bytes in a pack: a fault, never a crash", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    for (let n = 0; n < 6; n++) commitFiles(dir, { f: `${"text ".repeat(50)}${String(n)}` });
    stockGit(dir, ["repack", "-q", "-a", "-d"]);
    const oids = allObjects(dir).map(({ oid }) => toOid(oid));
    const [pack = ""] = packNames(dir, ".pack");
    const good = readFileSync(pack);
    const broken = join(scratch.path, "broken");
    stockRepository(broken);
    const target = join(broken, ".git/objects/pack/pack-x.pack");
    copyFileSync(packNames(dir, ".idx")[0]!, target.replace(/pack$/u, "idx"));

    const outcomes = new Set<string>();
    for (let at = 12; at < good.length - 20; at += 3) {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(target, bytes);
      using repository = openRepository(broken);
      for (const oid of oids) outcomes.add(outcomeOf(() => repository.readObject(oid).type));
    }

    expect([...outcomes].sort()).toEqual(["REPO_CORRUPT", "blob", "commit", "tree"]);
  });

  const outcomeOf = (work: () => string): string => {
    try {
      return work();
    } catch (error) {
      if (error instanceof Fault) return error.code;
      throw error;
    }
  };

  it("refuses to go on once it is closed", () => {
    using scratch = scratchDir();
    const dir = stockRepository(scratch.join("r"));
    const oid = toOid(bareCommit(dir, "x"));
    const repository = openRepository(dir);
    repository[Symbol.dispose]();

    expect(() => repository.readObject(toOid("1".repeat(40)))).toThrow("closed");
    expect(() => repository.readObject(oid)).toThrow("closed");
  });
});

type Planted =
  | { readonly body: Buffer; readonly oid?: string }
  | { readonly delta: Buffer; readonly base: string; readonly oid: string };

/** A pack and index written by hand: stock git would refuse to make these. */
function plantPack(dir: string, objects: readonly Planted[]): void {
  const parts: Buffer[] = [Buffer.from([...Buffer.from("PACK"), 0, 0, 0, 2, 0, 0, 0, objects.length])];
  const rows = objects.map((object) => {
    const offset = parts.reduce((sum, { length }) => sum + length, 0);
    const [code, body] = "delta" in object ? [7, object.delta] : [3, object.body];
    const header: number[] = [];
    let size = body.length >> 4;
    header.push((code << 4) | (body.length & 15) | (size > 0 ? 128 : 0));
    for (; size > 0; size >>= 7) header.push((size & 127) | (size > 127 ? 128 : 0));
    parts.push(Buffer.from(header), ...("delta" in object ? [Buffer.from(object.base, "hex")] : []), deflateSync(body));
    return { oid: object.oid ?? hashObject("blob", body), offset };
  });
  const pack = Buffer.concat([...parts, Buffer.alloc(20, 7)]);
  rows.sort((a, b) => (a.oid < b.oid ? -1 : 1));
  const fanout = Array.from(
    { length: 256 },
    (_, byte) => rows.filter(({ oid }) => Number.parseInt(oid.slice(0, 2), 16) <= byte).length,
  );
  const u32 = (values: readonly number[]): Buffer =>
    Buffer.concat(values.map((value) => Buffer.from(value.toString(16).padStart(8, "0"), "hex")));
  const index = Buffer.concat([
    u32([0xff744f63, 2, ...fanout]),
    ...rows.map(({ oid }) => Buffer.from(oid, "hex")),
    u32(rows.map(() => 0)),
    u32(rows.map(({ offset }) => offset)),
    Buffer.alloc(20, 7),
    Buffer.alloc(20),
  ]);
  const path = join(dir, ".git/objects/pack/pack-planted");
  writeFileSync(`${path}.pack`, pack);
  writeFileSync(`${path}.idx`, index);
}

/** `copies` copies of a 64 KiB base, one after another. */
function deltaOf(baseBytes: number, resultBytes: number, copies: number): Buffer {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);
  return Buffer.from([...varint(baseBytes), ...varint(resultBytes), ...Array<number>(copies).fill(0x80)]);
}
