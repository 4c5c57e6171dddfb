import { cpSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeDurableFs } from "../../../src/git/index.ts";
import { type DaemonLife, type DaemonWorld, never, openDaemonWorld } from "../../support/daemon-world.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type CommitPoint, openPostgresProxy } from "../../support/postgres-proxy.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";
import { Crash, CrashFs, type Survival } from "../git/crash-fs.ts";

const steps = { one: logStep(), two: logStep("2", { needs: "one" }), three: logStep("3", { needs: "two" }) };
const files = { ...tenantFiles("acme"), [dagPath("acme", "line")]: dagText({ steps }) };

let world: DaemonWorld;
beforeAll(async () => {
  world = await openDaemonWorld({ files });
  await using life = await world.live();
  await reconcilePass(life);
  await life.engines.recorder.flush(never);
});
afterAll(() => world[Symbol.asyncDispose]());

/** From the request to the sealed record. */
async function wholeLine(life: DaemonLife, key: string): Promise<string> {
  await life.start("worker");
  const runId = await life.run("acme", "line", key);
  await life.settled(runId);
  await life.engines.recorder.flush(never);
  return runId;
}

const survivals: readonly Survival[] = [
  { name: "half of the unsynced bytes are there", keepsEntry: () => true, keepsBytes: () => "half" as const },
  { name: "only what was synced is there", keepsEntry: () => false, keepsBytes: () => "none" as const },
  { name: "all names, zeros for bytes", keepsEntry: () => true, keepsBytes: () => "zeros" as const },
].slice(0, rounds(1, 3));

/** The daemon is dead and its lease has run out: what the next one does with what it finds. */
async function restart(key: string): Promise<string> {
  await using life = await world.live();
  await reconcilePass(life);
  await life.plant.store.queue.rescue(0);
  await life.start("worker");
  const runId = await life.run("acme", "line", key);
  const run = await life.plant.store.ledger.getRun("acme", runId);
  if (run?.endedUtc == null) await life.settled(runId);
  await life.engines.recorder.flush(never);
  return runId;
}

async function expectWhole(runs: readonly string[], where: string): Promise<void> {
  const found = await world.db.admin<{ run_id: string; run_no: number; status: string; attempts: number }>(
    `select r.run_id, r.run_no::int, r.status, (select count(*)::int from attempt a where a.run_id = r.run_id) as attempts
     from run r order by r.run_no`,
  );
  const expected = runs.map((run_id, n) => ({ run_id, run_no: n + 1, status: "succeeded", attempts: 3 }));
  expect([where, found]).toEqual([where, expected]);
  expect([where, await world.leftovers()]).toEqual([where, {}]);
  const records = (await world.records("acme")).filter(({ kind }) => kind === "run");
  expect([where, records.map(({ runId }) => runId)]).toEqual([where, runs]);
}

describe("a daemon that dies at a commit of a three-step run", () => {
  it(
    "settles the run once after a restart, whichever commit it was, heard or unheard",
    async () => {
      const runs: string[] = [];
      const zombies: Promise<unknown>[] = [];
      const seen: CommitPoint[] = [];
      for (const when of ["before", "after"] as const) {
        for (let commit = 1, died = true; died; commit++) {
          died = await dieAt({ commit, when }, zombies, seen);
          const key = `${when}-${String(commit)}`;
          runs.push(await restart(key));
          await expectWhole(runs, key);
        }
      }
      const { ok, findings } = world.verify();

      expect([ok, findings]).toEqual([true, []]);
      // Claim, begin, three outcomes, settle, drain, prepare and seal are all among them.
      expect(seen.length).toBeGreaterThanOrEqual(16);
      await Promise.allSettled(zombies);
    },
    soakTimeout(300_000),
  );
});

/** Runs the line through a proxy that dies for good at a point; false where the line ends before it. */
async function dieAt(
  point: Pick<CommitPoint, "commit" | "when">,
  zombies: Promise<unknown>[],
  seen: CommitPoint[],
): Promise<boolean> {
  let offset = Number.POSITIVE_INFINITY;
  let dead: (() => void) | null = null;
  let isDead = false;
  const died = new Promise<void>((resolve) => {
    dead = resolve;
  });
  const proxy = await openPostgresProxy(world.db.targets.admin.host ?? "", (at) => {
    if (isDead) return "cut";
    if (at.commit - offset !== point.commit || at.when !== point.when) return "pass";
    isDead = true;
    seen.push(at);
    dead?.();
    return "cut";
  });
  const life = await world.live({ socketDir: proxy.socketDir });
  await reconcilePass(life);
  offset = proxy.counts.commits;
  const ended = wholeLine(life, `${point.when}-${String(point.commit)}`);
  ended.catch(() => undefined);
  await Promise.race([ended, died]);
  // A dead process answers nothing any more: neither its steps nor its connections.
  life.hosts.silent = true;
  await proxy[Symbol.asyncDispose]();
  zombies.push(life[Symbol.asyncDispose]());
  return isDead;
}

describe("a power cut in an audit commit of the whole line", () => {
  // Every third call in `npm test`: one life of a daemon and two restarts each.
  const stride = rounds(3, 1);

  it.each(survivals)(
    "loses no record and writes none twice, at calls of the disk from the first object to the anchor: $name",
    async (survival) => {
      // Later than any file that the test makes: a lock that the cut left is old enough to be removed.
      const clock = new FakeClock("2040-01-01T00:00:00.000Z");
      await using powered = await openDaemonWorld({ files, clock });
      await using life = await powered.live();
      await reconcilePass(life);
      await life.engines.recorder.flush(never);
      let call = 0;
      for (let n = 0, cut = true; cut; n++) {
        await using next = await powered.live();
        await reconcilePass(next);
        await next.start("worker");
        await next.settled(await next.run("acme", "line", `cut-${String(n)}`));
        const before = `${powered.spec.dir}.before-${String(n)}`;
        cpSync(powered.spec.dir, before, { recursive: true, preserveTimestamps: true });
        const disk = new CrashFs(powered.spec.dir, call);
        await using unlucky = await powered.live({ fs: disk.fs });
        cut = await unlucky.engines.recorder.flush(never).then(
          () => false,
          (error: unknown) => isCrash(error),
        );
        // Only what was synced is there after a cut; the restart works on what the disk kept.
        if (cut) disk.restore(before, powered.spec.dir, survival);
        await using after = await powered.live({ fs: nodeDurableFs });
        await after.engines.recorder.flush(never);

        expect([call, powered.verify().findings]).toEqual([call, []]);
        expect([call, await powered.leftovers()]).toEqual([call, {}]);
        expect((await powered.records("acme")).filter(({ kind }) => kind === "run")).toHaveLength(n + 1);
        call += stride;
      }

      expect(call).toBeGreaterThan(50);
    },
    soakTimeout(200_000),
  );
});

function isCrash(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Crash) return true;
  throw error;
}
