import { cpSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createGitWriter,
  type DurableFs,
  encodeCommit,
  type GitRepository,
  graftTree,
  type Oid,
  openRepository,
} from "../../../src/git/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { type ScratchDir, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";
import { Crash, CrashFs, type Survival, unsyncedFs } from "./crash-fs.ts";

const ref = "refs/heads/audit/hq";
const ident = (seconds: number) => ({ name: "orrery recorder", email: "audit@hq", seconds, offset: "+0000" });

interface Batch {
  readonly commit: Oid;
  readonly oids: ReadonlySet<Oid>;
}

/** One batch of the recorder: objects, then the ref. The same number gives the same bytes. */
async function appendBatch(repository: GitRepository, fs: DurableFs, number: number): Promise<Batch> {
  const writer = createGitWriter(repository, { fs, random: () => 0.25 });
  const parent = repository.readRef(ref);
  const base = parent === null ? null : repository.readCommit(parent).tree;
  const files = new Map([
    [`records/acme/${String(number).padStart(12, "0")}.ndjson`, Buffer.from(`record ${String(number)}\n`)],
    ["checkpoint", Buffer.from(`size ${String(number)}\n`)],
  ]);
  const { root, objects } = graftTree(repository, base, files, { replace: new Set(["checkpoint"]) });
  const by = ident(1_700_000_000 + number);
  const message = `batch ${String(number)}\n`;
  const body = encodeCommit({
    tree: root,
    parents: parent === null ? [] : [parent],
    author: by,
    committer: by,
    message,
  });
  const oids = await writer.putObjects([...objects, { type: "commit", body }]);
  const commit = oids.at(-1)!;
  const outcome = await writer.compareAndSwapRef({ ref, expected: parent, next: commit, message, ident: by });
  expect(outcome).toBe("ok");
  return { commit, oids: new Set(oids) };
}

/** Reads all that the ref reaches; throws when anything of it is torn or missing. */
function readEverything(repository: GitRepository): Oid | null {
  const head = repository.readRef(ref);
  let at = head;
  while (at !== null) {
    const commit = repository.readCommit(at);
    for (const { entry } of repository.walkTree(commit.tree)) repository.readBlob(entry.oid);
    at = commit.parents[0] ?? null;
  }
  return head;
}

/** Park-Miller, so that a failure can be run again. */
function chance(seed: number): () => number {
  let state = seed * 7919 + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const scattered = (seed: number): Survival => {
  const next = chance(seed);
  const bytes = ["all", "half", "none", "zeros"] as const;
  return {
    name: `scattered ${String(seed)}`,
    keepsEntry: () => next() < 0.5,
    keepsBytes: () => bytes[Math.floor(next() * 4)]!,
  };
};

const survivals = (call: number): readonly Survival[] => [
  { name: "the process died, the disk lives", keepsEntry: () => true, keepsBytes: () => "all" },
  { name: "only what was synced", keepsEntry: () => false, keepsBytes: () => "none" },
  { name: "all names, no unsynced bytes", keepsEntry: () => true, keepsBytes: () => "none" },
  { name: "all names, zeros for bytes", keepsEntry: () => true, keepsBytes: () => "zeros" },
  ...Array.from({ length: rounds(1, 40) }, (_, n) => scattered(call + 1000 * n)),
];

let scratch: ScratchDir;
const starts = ["an empty repository", "a loose ref", "a packed ref"] as const;

beforeAll(async () => {
  scratch = scratchDir({ inMemory: true });
  for (const start of starts) {
    const dir = stockRepository(scratch.join(start), { bare: true });
    stockGit(dir, ["config", "core.logAllRefUpdates", "true"]);
    if (start === "an empty repository") continue;
    using repository = openRepository(dir);
    await appendBatch(repository, unsyncedFs, 1);
    if (start === "a packed ref") stockGit(dir, ["gc", "-q"]);
  }
});
afterAll(() => scratch[Symbol.dispose]());

/** Runs the batch on a copy until call `lastCall`; the batch when it got to its end. */
async function crashAt(start: string, lastCall: number) {
  using room = scratchDir({ inMemory: true });
  const dir = room.join("work");
  cpSync(scratch.join(start), dir, { recursive: true });
  const crash = new CrashFs(dir, lastCall);
  using repository = openRepository(dir);
  try {
    return { crash, batch: await appendBatch(repository, crash.fs, 2) };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { crash, batch: null };
  }
}

describe.each(starts)("a power cut after every single call, from %s", (start) => {
  it(
    "leaves a readable repository with the old or the new ref, and the batch can be written again",
    async () => {
      using original = openRepository(scratch.join(start));
      const before = original.readRef(ref);
      const whole = await crashAt(start, Number.POSITIVE_INFINITY);
      const expected = whole.batch!;
      const seen = new Set<string>();

      // One more than there are calls: the batch that got to its end, and must last.
      let finished = 0;
      for (let call = 0; call <= whole.crash.calls + 1; call++) {
        using room = scratchDir({ inMemory: true });
        const { crash, batch } = await crashAt(start, call);
        if (batch !== null) finished++;
        for (const [turn, survival] of survivals(call).entries()) {
          const dir = room.join(survival.name);
          crash.restore(scratch.join(start), dir, survival);
          using repository = openRepository(dir);

          const head = readEverything(repository);

          const place = `call ${String(call)}, ${survival.name}`;
          expect([place, [before, expected.commit].includes(head)]).toEqual([place, true]);
          if (batch !== null) expect([place, head]).toEqual([place, expected.commit]);
          seen.add(head === expected.commit ? "new" : "old");

          const later = new Date(statSync(dir).mtimeMs + 3_600_000);
          const lock = await createGitWriter(repository).removeStaleLock({ ref, ours: expected.oids, now: later });
          expect([place, lock]).toEqual([place, expect.stringMatching(/^(?:none|removed)$/u)]);
          if (head !== expected.commit) {
            const again = await appendBatch(repository, unsyncedFs, 2);
            expect([place, again.commit, [...again.oids]]).toEqual([place, expected.commit, [...expected.oids]]);
          }
          expect([place, readEverything(repository)]).toEqual([place, expected.commit]);
          // A process each: in turns.
          if (turn % rounds(5, 1) !== call % rounds(5, 1)) continue;
          const fsck = stockGit(dir, ["fsck", "--strict", "--no-dangling"]);
          expect([place, fsck]).toEqual([place, ""]);
        }
      }

      expect(seen).toEqual(new Set(["old", "new"]));
      expect(whole.crash.calls).toBeGreaterThan(25);
      expect(finished).toBeGreaterThan(0);
    },
    soakTimeout(240_000),
  );
});
