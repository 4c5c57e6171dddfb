import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { openRepository, toOid } from "../../../src/git/index.ts";
import { bareCommit, scratchDir, stockGit, stockGitBeside, stockRepository } from "../../support/git-fixtures.ts";

/** Runs the commands one after another, beside us, and says when the last has ended. */
function beside(
  dir: string,
  commands: readonly (readonly string[])[],
): { readonly ended: Promise<void>; running: boolean } {
  const state = { running: true, ended: Promise.resolve() };
  state.ended = (async () => {
    for (const command of commands) await stockGitBeside(dir, command);
    state.running = false;
  })();
  return state;
}

it("reads every object while stock git repacks, packs refs and collects garbage", async () => {
  using scratch = scratchDir({ inMemory: true });
  const dir = stockRepository(scratch.join("r.git"), { bare: true });
  const history = Array.from({ length: 60 }, (_, n) => {
    const text = `version ${String(n)} ${"text ".repeat(60)}`;
    return `commit refs/heads/main\ncommitter A <a@x> ${String(n)} +0000\ndata 1\nx\nM 644 inline f${String(n % 7)}\ndata ${String(text.length)}\n${text}\n`;
  });
  stockGit(dir, ["fast-import", "--quiet"], { input: history.join("") });
  const oids = stockGit(dir, ["rev-list", "--objects", "--all"])
    .split("\n")
    .map((row) => toOid(row.slice(0, 40)));
  const rounds = Array.from({ length: 8 }, () => [
    ["repack", "-q", "-a", "-d", "-f"],
    ["pack-refs", "--all"],
    ["repack", "-q", "-A", "-d", "--unpack-unreachable=now"],
    ["gc", "-q", "--prune=now"],
  ]);

  const git = beside(dir, rounds.flat());
  let reads = 0;
  while (git.running) {
    // Opened anew: a reader that holds the old packs open would not notice that they are being replaced.
    using repository = openRepository(dir, { cacheBytes: 0 });
    await setImmediate();
    for (let n = 0; n < 20; n++) {
      const oid = oids[reads++ % oids.length]!;
      expect(repository.readObject(oid).body.length).toBeGreaterThan(0);
    }
    await setImmediate();
  }
  await git.ended;

  expect(reads).toBeGreaterThan(500);
});

it("finds what was written and packed after it was opened", () => {
  using scratch = scratchDir({ inMemory: true });
  const dir = stockRepository(scratch.join("r.git"), { bare: true });
  const first = bareCommit(dir, "first");
  stockGit(dir, ["update-ref", "refs/heads/main", first]);
  stockGit(dir, ["gc", "-q"]);
  using repository = openRepository(dir);
  const before = repository.readCommit(toOid(first)).message;

  const second = bareCommit(dir, "second", [first]);
  stockGit(dir, ["update-ref", "refs/heads/main", second]);
  stockGit(dir, ["gc", "-q", "--prune=now"]);

  expect(stockGit(dir, ["count-objects"])).toMatch(/^0 objects/u);
  expect([before, repository.readCommit(toOid(second)).message]).toEqual(["first\n", "second\n"]);
});

it("never reads an older commit while stock git moves and packs the ref", async () => {
  using scratch = scratchDir({ inMemory: true });
  const dir = stockRepository(scratch.join("r.git"), { bare: true });
  const line: string[] = [];
  for (let n = 0; n < 40; n++) line.push(bareCommit(dir, String(n), line.slice(-1)));
  const ref = "refs/heads/main";
  stockGit(dir, ["update-ref", ref, line[0]!]);
  using repository = openRepository(dir);

  const git = beside(
    dir,
    line.flatMap((oid) => [
      ["update-ref", ref, oid],
      ["pack-refs", "--all"],
    ]),
  );
  let newest = 0;
  let reads = 0;
  while (git.running) {
    for (let n = 0; n < 50; n++, reads++) {
      const seen = line.indexOf(String(repository.readRef(ref)));
      expect(seen).toBeGreaterThanOrEqual(newest);
      newest = seen;
    }
    await setImmediate();
  }
  await git.ended;

  expect(repository.readRef(ref)).toBe(line.at(-1));
  expect(reads).toBeGreaterThan(500);
});

it("lists a ref exactly once at every moment of a pack-refs", async () => {
  using scratch = scratchDir({ inMemory: true });
  const dir = stockRepository(scratch.join("r.git"), { bare: true });
  const oid = bareCommit(dir, "x");
  const names = Array.from({ length: 20 }, (_, n) => `refs/heads/b${String(n).padStart(2, "0")}/x`);
  const set = names.map((name) => ["update-ref", name, oid]);
  for (const command of set) stockGit(dir, command);
  using repository = openRepository(dir);

  const git = beside(dir, Array.from({ length: 6 }, () => [["pack-refs", "--all"], ...set.slice(0, 5)]).flat());
  while (git.running) {
    expect(repository.listRefs("refs/heads/").map(({ ref }) => ref)).toEqual(names);
    await setImmediate();
  }
  await git.ended;
});
