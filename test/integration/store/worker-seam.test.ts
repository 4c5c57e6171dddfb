import type { AttemptOutcome } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { admitRuns, applyTenant, cancelledBody } from "../../support/store-fixtures.ts";
import { openStoreWorld } from "../../support/store-world.ts";
import type { TestDatabase } from "../../support/test-database.ts";
import { describeWorkerSeam, type SeamWorld } from "../../support/worker-seam-suite.ts";

async function setup(): Promise<SeamWorld> {
  const clock = new FakeClock();
  const world = await openStoreWorld(clock);
  const { store } = world;
  await applyTenant(store, { tenant: "acme" });
  return {
    worker: () => world.worker(),
    admit: async (key) => (await admitRuns(store, clock, "acme", [key]))[0] ?? "",
    cancel: async (runId) => {
      await store.admission.cancel({
        tenant: "acme",
        runId,
        actor: { kind: "user", subject: "ana", key: null },
        rationale: "enough",
        now: clock.now().toISOString(),
        bodyOf: cancelledBody,
      });
    },
    lose: (workerId) => store.queue.retireWorker(workerId),
    attempts: (runId) => storedAttempts(world.db, runId),
    status: async (runId) => {
      const run = await store.ledger.getRun("acme", runId);
      return run?.endedUtc == null ? null : run.state;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** As a worker that takes the run over gets them: with their outputs. */
async function storedAttempts(db: TestDatabase, runId: string): Promise<readonly AttemptOutcome[]> {
  const [row] = await db.admin<{ attempts: readonly AttemptOutcome[] }>("select attempts_of('acme', $1) as attempts", [
    runId,
  ]);
  return row?.attempts ?? [];
}

describeWorkerSeam("PostgreSQL", setup);
