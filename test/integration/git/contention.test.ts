import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import {
  createGitWriter,
  encodeCommit,
  type GitRepository,
  type Oid,
  openRepository,
  toOid,
} from "../../../src/git/index.ts";
import { scratchDir, stockGit, stockGitBeside, stockRepository } from "../../support/git-fixtures.ts";

const ref = "refs/heads/audit/hq";
const emptyTree = toOid("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
const ident = { name: "w", email: "w@x", seconds: 1_700_000_000, offset: "+0000" };

/** Appends one commit, again and again until it gets in; its id. */
async function append(repository: GitRepository, message: string): Promise<Oid> {
  const writer = createGitWriter(repository);
  for (;;) {
    const parent = repository.readRef(ref);
    const parents = parent === null ? [] : [parent];
    const body = encodeCommit({ tree: emptyTree, parents, author: ident, committer: ident, message });
    const next = await writer.putObject("commit", body);
    if ((await writer.compareAndSwapRef({ ref, expected: parent, next, message, ident })) === "ok") return next;
    await setImmediate();
  }
}

/** The same with stock git, as another program would. */
async function appendByGit(dir: string, repository: GitRepository, message: string): Promise<Oid> {
  for (;;) {
    const parent = repository.readRef(ref);
    const parentArgs = parent === null ? [] : ["-p", parent];
    const next = toOid(stockGit(dir, ["commit-tree", emptyTree, "-m", message, ...parentArgs]));
    if ((await stockGitBeside(dir, ["update-ref", ref, next, parent ?? "0".repeat(40)])) === 0) return next;
    await setImmediate();
  }
}

it("loses no commit between two of our writers, git update-ref, git pack-refs and git repack", async () => {
  using scratch = scratchDir({ inMemory: true });
  const dir = stockRepository(scratch.join("r.git"), { bare: true });
  stockGit(dir, ["mktree"], { input: "" });
  const repositories = [openRepository(dir), openRepository(dir), openRepository(dir)] as const;
  const appending = { going: true };
  const repeat = async (count: number, work: (n: number) => Promise<Oid>): Promise<readonly Oid[]> => {
    const made: Oid[] = [];
    for (let n = 0; n < count; n++) made.push(await work(n));
    return made;
  };
  const packing = (async () => {
    let packs = 0;
    for (; appending.going; packs++)
      await stockGitBeside(dir, packs % 3 < 2 ? ["pack-refs", "--all"] : ["repack", "-q", "-d"]);
    return packs;
  })();

  const made = await Promise.all([
    repeat(40, (n) => append(repositories[0], `a${String(n)}`)),
    repeat(40, (n) => append(repositories[1], `b${String(n)}`)),
    repeat(12, (n) => appendByGit(dir, repositories[2], `g${String(n)}`)),
  ]).finally(() => {
    appending.going = false;
    return packing;
  });
  const packs = await packing;

  const history = stockGit(dir, ["rev-list", "--reverse", ref]).split("\n");
  expect(history).toHaveLength(92);
  expect(new Set(history)).toEqual(new Set(made.flat()));
  expect(packs).toBeGreaterThan(5);
  expect(stockGit(dir, ["fsck", "--strict", "--no-dangling"])).toBe("");
  for (const repository of repositories) repository[Symbol.dispose]();
});
