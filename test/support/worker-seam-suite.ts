import { describe, expect, it } from "vitest";
import type { Service } from "../../src/base/index.ts";
import type { AttemptOutcome, ClaimedRun, WorkerSeam } from "../../src/store/index.ts";
import { outcomeOf, settlementOf } from "./store-fixtures.ts";

/** A fresh world for one conformance test. */
export interface SeamWorld extends AsyncDisposable {
  /** A started seam of a new worker. */
  worker(): Promise<WorkerSeam & Service & { readonly workerId: string }>;
  /** Admits a run of tenant acme (4 at once) and answers its id. */
  admit(key: string): Promise<string>;
  /** Asks for the end of a run. */
  cancel(runId: string): Promise<void>;
  /** The worker is taken for dead and its runs given back. */
  lose(workerId: string): Promise<void>;
  /** Stored attempts of a run of acme. */
  attempts(runId: string): Promise<readonly AttemptOutcome[]>;
  /** The settled status, null while the run is unfinished. */
  status(runId: string): Promise<string | null>;
}

/** What every implementation of the seam keeps: PostgreSQL's, and a remote worker's later. */
export function describeWorkerSeam(name: string, setup: () => Promise<SeamWorld>): void {
  const claimOne = async (seam: WorkerSeam): Promise<ClaimedRun> => {
    const [run] = await seam.claim(1);
    if (run === undefined) throw new Error("nothing to claim");
    return run;
  };

  describe(`${name} as a worker seam`, () => {
    it("claims nothing from an empty queue", async () => {
      await using world = await setup();
      const seam = await world.worker();

      expect(await seam.claim(5)).toEqual([]);
    });

    it("claims each run once, with all that its worker needs", async () => {
      await using world = await setup();
      const [one, two] = [await world.worker(), await world.worker()];
      const runIds = [await world.admit("a"), await world.admit("b")];

      const claimed = (await Promise.all([one.claim(2), two.claim(2)])).flat();

      expect(claimed.map((run) => run.runId).sort()).toEqual([...runIds].sort());
      const run = claimed.find((candidate) => candidate.runId === runIds[0]);
      expect(run).toMatchObject({
        tenant: "acme",
        dagId: "hello",
        runNo: 1,
        fence: 1,
        inputsText: "{}",
        attempts: [],
        marks: [],
      });
      expect(run?.specText).toContain("orrery/v1");
      expect(run?.trigger).toEqual({ kind: "manual", key: "a", schedule: null, slot: null });
      expect(run?.startedUtc).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });

    it("never answers more runs than asked for", async () => {
      await using world = await setup();
      const seam = await world.worker();
      for (const key of ["a", "b", "c"]) await world.admit(key);

      const [first, second] = await Promise.all([seam.claim(1), seam.claim(1)]);

      expect([first.length, second.length]).toEqual([1, 1]);
    });

    it("stores an outcome once and says so the second time", async () => {
      await using world = await setup();
      const seam = await world.worker();
      await world.admit("a");
      const run = await claimOne(seam);

      const first = await seam.report([outcomeOf(run, "hello")]);
      const second = await seam.report([outcomeOf(run, "hello", { status: "failed", outputText: null })]);

      expect([first, second]).toEqual([["stored"], ["duplicate"]]);
      expect(await world.attempts(run.runId)).toEqual([outcomeOf(run, "hello")]);
    });

    it("keeps every member of an outcome", async () => {
      await using world = await setup();
      const seam = await world.worker();
      await world.admit("a");
      const run = await claimOne(seam);
      const outcome = outcomeOf(run, "post", {
        index: 3,
        attempt: 2,
        status: "failed",
        class: "transient",
        code: "STEP_FAILED",
        message: "no answer",
        outputsHash: null,
        outputText: null,
        egress: [{ host: "h", port: 443, allowed: 1, denied: 2, sentBytes: 3, receivedBytes: 4 }],
        logsHash: outcomeOf(run, "x").stepHash,
        artifacts: [{ artifact: outcomeOf(run, "y").stepHash, bytes: 5, mediaType: "text/plain" }],
      });

      await seam.report([outcome]);

      expect(await world.attempts(run.runId)).toEqual([outcome]);
    });

    it("fails only the item that cannot be stored", async () => {
      await using world = await setup();
      const seam = await world.worker();
      await world.admit("a");
      const run = await claimOne(seam);

      const verdicts = await seam.report([
        outcomeOf(run, "good"),
        outcomeOf(run, "nul", { outputText: '"\u0000"' }),
        outcomeOf(run, "surrogate", { message: "\ud800" }),
        outcomeOf(run, "hash", { stepHash: "not a hash" }),
        outcomeOf(run, "status", { status: "sideways" as "failed" }),
        outcomeOf(run, "day", { endedUtc: "2026-02-31T00:00:00.000Z" }),
        outcomeOf(run, "last"),
      ]);

      expect(verdicts).toEqual(["stored", "unfit", "unfit", "unfit", "unfit", "unfit", "stored"]);
      expect((await world.attempts(run.runId)).map((attempt) => attempt.stepId)).toEqual(["good", "last"]);
    });

    it("answers fenced for runs that are not this claim's", async () => {
      await using world = await setup();
      const [one, two] = [await world.worker(), await world.worker()];
      await world.admit("a");
      const run = await claimOne(one);

      expect(await two.report([outcomeOf(run, "hello")])).toEqual(["fenced"]);
      expect(await one.report([outcomeOf({ ...run, fence: run.fence + 1 }, "hello")])).toEqual(["fenced"]);
      expect(await two.settle([settlementOf(run)])).toEqual(["fenced"]);
      expect(await one.report([outcomeOf({ ...run, tenant: "globex" }, "hello")])).toEqual(["fenced"]);
      expect(await world.attempts(run.runId)).toEqual([]);
    });

    it("settles a run once, together with its last outcome", async () => {
      await using world = await setup();
      const seam = await world.worker();
      await world.admit("a");
      const run = await claimOne(seam);

      const [reported, settled] = await Promise.all([
        seam.report([outcomeOf(run, "hello")]),
        seam.settle([settlementOf(run)]),
      ]);

      expect([reported, settled]).toEqual([["stored"], ["stored"]]);
      expect(await world.status(run.runId)).toBe("succeeded");
      expect(await seam.settle([settlementOf(run, { status: "failed" })])).toEqual(["duplicate"]);
      expect(await seam.report([outcomeOf(run, "late")])).toEqual(["fenced"]);
      expect(await world.status(run.runId)).toBe("succeeded");
    });

    it("gives released runs back, and only once", async () => {
      await using world = await setup();
      const [one, two] = [await world.worker(), await world.worker()];
      await world.admit("a");
      const run = await claimOne(one);

      expect(await one.release([run])).toEqual(["stored"]);
      expect(await one.release([run])).toEqual(["fenced"]);

      const again = await claimOne(two);
      expect(again.runId).toBe(run.runId);
      expect(again.fence).toBeGreaterThan(run.fence);
      expect(again.startedUtc).toBe(run.startedUtc);
      expect(await one.report([outcomeOf(run, "hello")])).toEqual(["fenced"]);
    });

    it("hands a taken-over run its stored attempts and marks", async () => {
      await using world = await setup();
      const [one, two] = [await world.worker(), await world.worker()];
      await world.admit("a");
      const run = await claimOne(one);
      const mark = {
        tenant: "acme",
        runId: run.runId,
        fence: run.fence,
        stepId: "post",
        index: 0,
        attempt: 1,
        startedUtc: run.startedUtc,
      };
      await one.report([outcomeOf(run, "read")]);
      expect(await one.begin([mark])).toEqual(["stored"]);
      expect(await one.begin([mark])).toEqual(["duplicate"]);

      await world.lose(one.workerId);

      const again = await claimOne(two);
      expect(again.attempts).toEqual([outcomeOf(run, "read")]);
      expect(again.marks).toEqual([mark]);
      expect(await two.begin([{ ...mark, fence: again.fence }])).toEqual(["stored"]);
    });

    it("rejects every call of a worker that lost its lease, and stores nothing of it", async () => {
      await using world = await setup();
      const seam = await world.worker();
      await world.admit("a");
      const run = await claimOne(seam);

      await world.lose(seam.workerId);

      const fenced = { code: "WORKER_FENCED" };
      await expect(seam.report([outcomeOf(run, "late")])).rejects.toMatchObject(fenced);
      await expect(seam.heartbeat()).rejects.toMatchObject(fenced);
      await expect(seam.claim(1)).rejects.toMatchObject(fenced);
      await expect(seam.settle([settlementOf(run)])).rejects.toMatchObject(fenced);
      expect(await world.attempts(run.runId)).toEqual([]);
      expect(await world.status(run.runId)).toBeNull();
    });

    it("tells a worker what it must know", async () => {
      await using world = await setup();
      const [one, two] = [await world.worker(), await world.worker()];
      await world.admit("a");
      const run = await claimOne(one);

      await world.cancel(run.runId);

      const news = await one.heartbeat();
      expect(news.workers).toBe(2);
      expect(news.cancelled).toEqual([
        { tenant: "acme", runId: run.runId, actor: { kind: "user", subject: "ana", key: null }, rationale: "enough" },
      ]);
      expect(Object.keys(news.tenantRevisions)).toEqual(["acme"]);
      expect((await two.heartbeat()).cancelled).toEqual([]);
      await one.settle([settlementOf(run, { status: "cancelled" })]);
      expect((await one.heartbeat()).cancelled).toEqual([]);
    });

    it("takes what is under way before it stops, then rejects", async () => {
      await using world = await setup();
      const seam = await world.worker();
      await world.admit("a");
      const run = await claimOne(seam);

      const reported = seam.report([outcomeOf(run, "hello")]);
      await seam.stop();

      expect(await reported).toEqual(["stored"]);
      await expect(seam.heartbeat()).rejects.toThrow();
      await seam.stop();
    });
  });
}
