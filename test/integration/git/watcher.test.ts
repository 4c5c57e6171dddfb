import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Fault, systemClock } from "../../../src/base/index.ts";
import { type GitRepository, openRepository, toOid, watchRefs } from "../../../src/git/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { bareCommit, commitFiles, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";

const hourMs = 3_600_000;

/** Counts wakes and lets a test wait for the n-th. */
function wakes() {
  let count = 0;
  const waiting: { readonly n: number; readonly resolve: () => void }[] = [];
  return {
    onWake: () => {
      count++;
      for (const { n, resolve } of waiting) if (count >= n) resolve();
    },
    nth: (n: number) =>
      new Promise<void>((resolve) => {
        if (count >= n) resolve();
        else waiting.push({ n, resolve });
      }),
    get count() {
      return count;
    },
  };
}

/** A started watcher over real files that no poll helps: whatever wakes it is an event. */
async function setup(refs: readonly string[], { bare = false } = {}) {
  const scratch = scratchDir();
  const dir = stockRepository(scratch.join("r"), { bare });
  const first = bare ? bareCommit(dir, "first") : commitFiles(dir, { a: "1" }, "first");
  if (bare) stockGit(dir, ["update-ref", "refs/heads/main", first]);
  const repository = openRepository(dir);
  const seen = wakes();
  const failures: unknown[] = [];
  const watcher = watchRefs({
    repository,
    refs,
    pollMs: hourMs,
    clock: systemClock,
    onWake: seen.onWake,
    onFailure: (error) => failures.push(error),
  });
  await watcher.start();
  return {
    scratch,
    dir,
    repository,
    seen,
    failures,
    first,
    [Symbol.asyncDispose]: async () => {
      await watcher.stop();
      repository[Symbol.dispose]();
      scratch[Symbol.dispose]();
    },
  };
}

describe("events of a watched branch", () => {
  it("wake for commit, amend, reset, push and deletion, each once", async () => {
    await using bundle = await setup(["refs/heads/main"]);
    const { dir, seen, scratch } = bundle;
    await seen.nth(1);

    const acts: readonly (() => void)[] = [
      () => commitFiles(dir, { a: "2" }),
      () => stockGit(dir, ["commit", "-q", "--amend", "-m", "amended"]),
      () => stockGit(dir, ["reset", "-q", "--hard", "HEAD~1"]),
      () => {
        stockGit(dir, ["checkout", "-q", "--detach"]);
        stockGit(scratch.path, ["clone", "-q", dir, scratch.join("clone")]);
        stockGit(scratch.join("clone"), ["checkout", "-q", "main"]);
        commitFiles(scratch.join("clone"), { a: "3" });
        stockGit(scratch.join("clone"), ["push", "-q", "origin", "main"]);
      },
      () => stockGit(dir, ["update-ref", "-d", "refs/heads/main"]),
    ];
    for (const [n, act] of acts.entries()) {
      act();
      await seen.nth(n + 2);
    }

    expect(seen.count).toBe(acts.length + 1);
  });

  it("wake for a forced push to a bare repository and for a commit after gc packed the branch", async () => {
    await using bundle = await setup(["refs/heads/main"], { bare: true });
    const { dir, seen, scratch, repository } = bundle;
    stockGit(scratch.path, ["clone", "-q", dir, scratch.join("clone")]);
    const other = bareCommit(scratch.join("clone"), "other root");

    stockGit(scratch.join("clone"), ["push", "-q", "-f", "origin", `${other}:refs/heads/main`]);
    await seen.nth(2);
    stockGit(dir, ["gc", "-q"]);
    stockGit(dir, ["update-ref", "refs/heads/main", bareCommit(dir, "after gc", [other])]);
    await seen.nth(3);
    stockGit(dir, ["pack-refs", "--all"]);
    stockGit(dir, ["update-ref", "-d", "refs/heads/main"]);
    await seen.nth(4);

    expect([seen.count, repository.readRef("refs/heads/main")]).toEqual([4, null]);
  });

  it("wake for a nested branch that appears, is packed, moves and comes back", async () => {
    const ref = "refs/heads/site/a/b";
    await using bundle = await setup([ref]);
    const { dir, seen, first } = bundle;
    const second = bareCommit(dir, "second");

    stockGit(dir, ["update-ref", ref, first]);
    await seen.nth(2);
    stockGit(dir, ["pack-refs", "--all"]);
    stockGit(dir, ["update-ref", ref, second]);
    await seen.nth(3);
    stockGit(dir, ["update-ref", "-d", ref]);
    await seen.nth(4);
    stockGit(dir, ["update-ref", ref, second]);
    await seen.nth(5);

    expect(seen.count).toBe(5);
  });

  it("stay quiet for the audit branch, notes, anchors, other branches, HEAD, packing and gc", async () => {
    await using bundle = await setup(["refs/heads/main"]);
    const { dir, seen, first } = bundle;
    await seen.nth(1);

    for (const ref of ["refs/heads/audit/hq", "refs/notes/orrery", "refs/orrery/sites/hq/applied", "refs/heads/zz"]) {
      stockGit(dir, ["update-ref", ref, first]);
    }
    stockGit(dir, ["pack-refs", "--all"]);
    stockGit(dir, ["checkout", "-q", "zz"]);
    stockGit(dir, ["gc", "-q"]);
    stockGit(dir, ["update-ref", "refs/heads/main", bareCommit(dir, "second")]);
    await seen.nth(2);

    expect(seen.count).toBe(2);
  });

  it("wake for a watched audit branch that somebody else moves", async () => {
    await using bundle = await setup(["refs/heads/main", "refs/heads/audit/hq"]);
    const { dir, seen, first, failures } = bundle;

    stockGit(dir, ["update-ref", "refs/heads/audit/hq", first]);
    await seen.nth(2);

    expect([seen.count, failures]).toEqual([2, []]);
  });
});

describe("the poll", () => {
  /** A repository whose files nobody writes: only the poll can see its refs move. */
  async function polled(read: () => ReturnType<GitRepository["readRef"]>) {
    const scratch = scratchDir();
    mkdirSync(join(scratch.path, "refs"));
    const clock = new FakeClock();
    const seen = wakes();
    const watcher = watchRefs({
      repository: { commonDir: scratch.path, readRef: read },
      refs: ["refs/heads/main"],
      pollMs: 2000,
      clock,
      onWake: seen.onWake,
      onFailure: () => undefined,
    });
    await watcher.start();
    return {
      clock,
      seen,
      watcher,
      [Symbol.asyncDispose]: async () => {
        await watcher.stop();
        scratch[Symbol.dispose]();
      },
    };
  }
  const [one, two] = [toOid("1".repeat(40)), toOid("2".repeat(40))];

  it("wakes at start, then only when the ref is not what the last wake saw", async () => {
    let value = one;
    await using bundle = await polled(() => value);
    const { clock, seen } = bundle;

    const counts = [seen.count];
    for (const next of [one, two, two, one, one]) {
      value = next;
      await clock.advance(2000);
      counts.push(seen.count);
    }

    expect(counts).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("takes an unreadable ref for a change, wakes once for it and once when it is back", async () => {
    let broken = false;
    await using bundle = await polled(() => {
      if (broken) throw new Fault("REPO_CORRUPT", "torn");
      return one;
    });
    const { clock, seen } = bundle;

    const counts = [seen.count];
    for (const next of [true, true, false, false]) {
      broken = next;
      await clock.advance(2000);
      counts.push(seen.count);
    }

    expect(counts).toEqual([1, 2, 2, 3, 3]);
  });

  it("ends with stop, which is safe before start, twice, and leaves nothing asleep", async () => {
    await using bundle = await polled(() => one);
    const { clock, watcher } = bundle;
    const never = watchRefs({
      repository: { commonDir: "/nowhere", readRef: () => null },
      refs: [],
      pollMs: 1,
      clock,
      onWake: () => undefined,
      onFailure: () => undefined,
    });
    const asleepBefore = clock.sleeping;

    await never.stop();
    await never.start();
    await watcher.stop();
    await watcher.stop();

    expect([asleepBefore, clock.sleeping]).toEqual([1, 0]);
  });
});
