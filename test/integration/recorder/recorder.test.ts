import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import type { Recorder, RecorderState } from "../../../src/recorder/index.ts";
import { anchorRef } from "../../../src/recorder/index.ts";
import {
  signersTextOf,
  specKey,
  testDenialBody,
  testGenesisBody,
  testReconcileBody,
  testRunBody,
  testStep,
} from "../../support/audit-fixtures.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeSigner } from "../../support/fake-signer.ts";
import { gitEnvironment, type ScratchDir, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";
import { branch, lasting, type RecorderSetup, recorderOver, site, verdictOn } from "../../support/recorder-setup.ts";

const never = new AbortController().signal;
let scratch: ScratchDir;
let dir: string;

beforeEach(() => {
  scratch = scratchDir();
  dir = stockRepository(scratch.join("repo"), { bare: true });
});
afterEach(() => scratch[Symbol.dispose]());

async function withRecorder<T>(setup: RecorderSetup, work: (recorder: Recorder) => Promise<T>): Promise<T> {
  using repository = openRepository(dir);
  const recorder = recorderOver(repository, setup);
  try {
    return await work(recorder);
  } finally {
    await recorder.stop();
  }
}

const flush = (setup: RecorderSetup): Promise<void> => withRecorder(setup, (recorder) => recorder.flush(never));

const skip = {
  tenant: "acme",
  dagId: "hello",
  schedule: "default",
  reason: "overlap" as const,
  from: "2026-11-24T03:30:00.000Z",
  to: "2026-11-24T03:31:00.000Z",
  count: 5,
};

describe("the recorder over a stock repository", () => {
  it("writes what stock git, ssh-keygen and our verifier call good", async () => {
    const kept = lasting();
    kept.outbox.put(testGenesisBody(), testReconcileBody(), testRunBody({ n: 2 }), testRunBody({ n: 1 }));
    kept.outbox.skip(skip);
    await flush(kept);
    kept.outbox.put(
      testDenialBody("hq", "acme", 7),
      testRunBody({ tenant: "beta", n: 3, steps: [testStep("fan_out", 600)] }),
    );
    await flush(kept);
    const signers = scratch.join("audit_signers");
    writeFileSync(signers, signersTextOf(site));

    const trust = ["-c", `gpg.ssh.allowedSignersFile=${signers}`];
    const log = stockGit(dir, [...trust, "log", "--format=%G? %GS %an <%ae> %s", branch]);
    for (const name of ["checkpoint", "checkpoint.sig"]) {
      writeFileSync(scratch.join(name), stockGit(dir, ["show", `${branch}:${name}`]) + "\n");
    }
    const verified = execFileSync(
      "ssh-keygen",
      [
        "-Y",
        "verify",
        "-f",
        signers,
        "-I",
        "audit@hq",
        "-n",
        "orrery-checkpoint",
        "-s",
        scratch.join("checkpoint.sig"),
      ],
      { input: `${stockGit(dir, ["show", `${branch}:checkpoint`])}\n`, env: gitEnvironment() },
    ).toString();

    expect(log.split("\n")).toEqual([
      "G audit@hq orrery recorder <audit@hq> audit: batch 2, records 2, size 7",
      "G audit@hq orrery recorder <audit@hq> audit: batch 1, records 5, size 5",
    ]);
    expect(verified).toContain('Good "orrery-checkpoint" signature for audit@hq');
    expect(stockGit(dir, ["fsck", "--strict"])).not.toMatch(/error|missing|corrupt|dangling/);
    expect(stockGit(dir, ["rev-parse", anchorRef(site)])).toBe(stockGit(dir, ["rev-parse", branch]));
    expect(verdictOn(dir)).toMatchObject({ ok: true, findings: [], records: 7, batches: 2 });
    const records = kept.outbox.records.map(({ line }) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ kind }) => kind)).toEqual(["genesis", "reconcile", "skip", "run", "run", "denial", "run"]);
    expect(records.find(({ kind }) => kind === "denial")?.["count"]).toBe(7);
    expect(stockGit(dir, ["ls-tree", "-r", "--name-only", branch])).toMatch(/^steps\/beta\//m);
  });

  it("closes a batch a while after its first record, not at once and not at every wake-up", async () => {
    const clock = new FakeClock();
    const kept = lasting(clock);
    await withRecorder({ ...kept, clock, maxWaitMs: 5000 }, async (recorder) => {
      await recorder.start();
      kept.outbox.put(testRunBody({ n: 1 }));
      recorder.wake();
      await clock.advance(4000);
      const early = kept.outbox.batches.length;
      kept.outbox.put(testRunBody({ n: 2 }));
      recorder.wake();

      await clock.advance(1500);
      await recorder.flush(never);

      expect(early).toBe(0);
      expect(kept.outbox.batches.map(({ records }) => records.length)).toEqual([2]);
    });
  });

  it("an idle recorder makes no commit and drains nothing but once a day", async () => {
    const clock = new FakeClock();
    const kept = lasting(clock);
    await withRecorder({ ...kept, clock }, async (recorder) => {
      await recorder.start();
      await pass(clock, 600_000);

      expect(kept.outbox.batches).toEqual([]);
      expect(kept.outbox.drains.length).toBe(1);
    });
  });

  it("closes a skip range of yesterday though nothing else waits", async () => {
    const clock = new FakeClock("2026-11-24T23:59:50.000Z");
    const kept = lasting(clock);
    await withRecorder({ ...kept, clock }, async (recorder) => {
      await recorder.start();
      await pass(clock, 1000);
      kept.outbox.skip(skip);
      await pass(clock, 20_000);
      await recorder.flush(never);

      expect(kept.outbox.records.map(({ recordId }) => recordId)).toEqual([`skip/hello/default/${skip.from}`]);
    });
  });

  it("makes no more commits at once than the bucket holds, and gives nothing back at a restart", async () => {
    const clock = new FakeClock();
    const kept = lasting(clock);
    const setup = { ...kept, clock, maxWaitMs: 10, burst: 3 };
    await withRecorder({ ...setup, maxRecords: 1 }, async (recorder) => {
      kept.outbox.put(...Array.from({ length: 8 }, (_, n) => testRunBody({ n: n + 1 })));
      await recorder.start();
      await reached(clock, () => kept.outbox.batches.length >= 3);
      await pass(clock, 10_000);
    });
    const first = kept.outbox.batches.length;
    await withRecorder({ ...setup, maxRecords: 1 }, async (recorder) => {
      await recorder.start();
      await pass(clock, 10_000);
      const restarted = kept.outbox.batches.length;
      await reached(clock, () => kept.outbox.batches.length >= 4);

      expect(first).toBe(3);
      expect(restarted).toBe(3);
    });
  });

  it("numbers by the last batch when the clock goes back, and records the clock as read", async () => {
    const clock = new FakeClock("2031-01-01T00:00:00.000Z");
    const kept = lasting(clock);
    kept.outbox.put(testRunBody({ n: 1 }));
    await flush({ ...kept, clock });
    clock.setWall("2026-11-24T00:00:00.000Z");
    kept.outbox.put(testRunBody({ n: 2 }));
    await flush({ ...kept, clock });

    const [, second] = kept.outbox.records;
    expect(JSON.parse(second?.line ?? "")).toMatchObject({
      timestamp: "2031-01-01T00:00:00.001Z",
      clock: "2026-11-24T00:00:00.000Z",
    });
    expect(verdictOn(dir).ok).toBe(true);
  });

  it("seals nothing while the clock is suspect", async () => {
    const kept = lasting();
    kept.outbox.put(testRunBody({ n: 1 }));

    await expect(flush({ ...kept, clockIsSuspect: () => true })).rejects.toMatchObject({ code: "CLOCK_SUSPECT" });
    expect(kept.outbox.batches).toEqual([]);
  });

  it("survives stock gc, pack-refs and a checkout", async () => {
    const kept = lasting();
    for (let n = 1; n <= 4; n++) {
      kept.outbox.put(testRunBody({ n }));
      await flush(kept);
      if (n % 2 === 0) stockGit(dir, ["gc", "-q", "--prune=now"]);
      else stockGit(dir, ["pack-refs", "--all"]);
    }

    expect(verdictOn(dir)).toMatchObject({ ok: true, records: 4 });
  });
});

/** Moves the clock until a thing is so, each time only once the recorder rests: its files are real, its time is not. */
async function reached(clock: FakeClock, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await resting(clock);
    await clock.advance(50);
  }
}

async function resting(clock: FakeClock): Promise<void> {
  while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets fake time pass, with all the work that it brings. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    await resting(clock);
    await clock.advance(1000);
  }
  await resting(clock);
}

describe("a branch that is not as the recorder left it", () => {
  async function afterTwoBatches() {
    const kept = lasting();
    for (const n of [1, 2]) {
      kept.outbox.put(testRunBody({ n }));
      await flush(kept);
    }
    kept.outbox.put(testRunBody({ n: 3 }));
    const [first = "", second = ""] = kept.outbox.batches.map(({ commit }) => commit);
    return { ...kept, first, second };
  }

  it("cut back to an earlier commit is behind, and goes on once a person restores it", async () => {
    const kept = await afterTwoBatches();
    stockGit(dir, ["update-ref", branch, kept.first]);

    await expect(flush(kept)).rejects.toMatchObject({ code: "AUDIT_BEHIND" });
    stockGit(dir, ["update-ref", branch, kept.second]);
    await flush(kept);

    expect(verdictOn(dir)).toMatchObject({ ok: true, records: 3 });
  });

  it("deleted by a user's mirror push is behind: no new orphan is ever started", async () => {
    const kept = await afterTwoBatches();
    stockGit(dir, ["update-ref", "-d", branch]);

    await expect(flush(kept)).rejects.toMatchObject({ code: "AUDIT_BEHIND" });

    expect(stockGit(dir, ["for-each-ref", branch])).toBe("");
    expect(stockGit(dir, ["rev-parse", anchorRef(site)])).toBe(kept.second);
  });

  it("with a foreign commit on top is forked", async () => {
    const kept = await afterTwoBatches();
    const tree = stockGit(dir, ["rev-parse", `${branch}^{tree}`]);
    stockGit(dir, ["update-ref", branch, stockGit(dir, ["commit-tree", tree, "-p", branch, "-m", "mine"])]);

    await expect(flush(kept)).rejects.toMatchObject({ code: "AUDIT_FORKED" });
  });

  it("of another history is forked", async () => {
    const kept = await afterTwoBatches();
    const tree = stockGit(dir, ["mktree"], { input: "" });
    stockGit(dir, ["update-ref", branch, stockGit(dir, ["commit-tree", tree, "-m", "other"])]);

    await expect(flush(kept)).rejects.toMatchObject({ code: "AUDIT_FORKED" });
  });

  it("that is there before the first batch is forked, or ahead where the key is ours", async () => {
    await afterTwoBatches();
    const ours = { outbox: lasting().outbox, signer: lasting().signer };
    const others = { outbox: lasting().outbox, signer: new FakeSigner(site, specKey) };
    for (const { outbox } of [ours, others]) outbox.put(testRunBody({ n: 9 }));

    await expect(flush(ours)).rejects.toMatchObject({ code: "AUDIT_AHEAD" });
    await expect(flush(others)).rejects.toMatchObject({ code: "AUDIT_FORKED" });
  });

  it("newer than a restored database is ahead", async () => {
    const kept = await afterTwoBatches();
    kept.outbox.batches.splice(1);

    await expect(flush(kept)).rejects.toMatchObject({ code: "AUDIT_AHEAD" });
  });

  it("stalls the service loudly once, keeps it running, and says when it is well again", async () => {
    const clock = new FakeClock();
    const kept = lasting(clock);
    kept.outbox.put(testRunBody({ n: 1 }));
    await flush({ ...kept, clock });
    const head = kept.outbox.batches[0]?.commit ?? "";
    stockGit(dir, ["update-ref", "-d", branch]);
    kept.outbox.put(testRunBody({ n: 2 }));
    const states: RecorderState[] = [];
    await withRecorder({ ...kept, clock, onState: (state) => states.push(state) }, async (recorder) => {
      await recorder.start();
      await reached(clock, () => states.length > 0);
      await pass(clock, 60_000);
      const whileGone = [...states];

      stockGit(dir, ["update-ref", branch, head]);
      await reached(clock, () => states.length > whileGone.length);

      expect(whileGone.map(({ ready, reason }) => [ready, reason])).toEqual([[false, "AuditBehind"]]);
      expect(whileGone[0]?.message).toContain(`git update-ref ${branch} ${head}`);
      expect(states.at(-1)).toEqual({ ready: true, reason: "Recording", message: "", closesAdmission: false });
    });
  });

  it("closes admission once records wait for longer than a day", async () => {
    const clock = new FakeClock();
    const kept = lasting(clock);
    kept.outbox.put(testRunBody({ n: 1 }));
    await flush({ ...kept, clock });
    stockGit(dir, ["update-ref", "-d", branch]);
    kept.outbox.put(testRunBody({ n: 2 }));
    const states: RecorderState[] = [];
    await withRecorder({ ...kept, clock, onState: (state) => states.push(state) }, async (recorder) => {
      await recorder.start();
      await reached(clock, () => states.length > 0);
      const before = states.at(-1)?.closesAdmission;
      clock.setWall("2026-11-26T00:00:00.000Z");
      await reached(clock, () => states.length > 1);

      expect(before).toBe(false);
      expect(states.at(-1)).toMatchObject({ reason: "AuditBehind", closesAdmission: true });
    });
  });
});
