import { createStore } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { silentLog } from "../../support/silent-log.ts";
import { admitRuns, applyTenant, cancelledBody } from "../../support/store-fixtures.ts";
import { createTestDatabase } from "../../support/test-database.ts";
import { describeWorkerSeam, type SeamWorld } from "../../support/worker-seam-suite.ts";

async function setup(): Promise<SeamWorld> {
  const clock = new FakeClock();
  const db = await createTestDatabase({ clock });
  const store = createStore(db.database, { clock, log: silentLog });
  await applyTenant(store, { tenant: "acme" });
  const seams: AsyncDisposable[] = [];
  return {
    worker: async () => {
      const worker = await store.queue.registerWorker("test");
      const seam = store.createWorkerSeam(worker);
      await seam.start();
      seams.push({ [Symbol.asyncDispose]: () => seam.stop() });
      return Object.assign(seam, { workerId: worker.workerId });
    },
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
    attempts: (runId) => store.ledger.attempts("acme", runId),
    status: async (runId) => {
      const run = await store.ledger.getRun("acme", runId);
      return run?.endedUtc == null ? null : run.state;
    },
    [Symbol.asyncDispose]: async () => {
      for (const seam of seams) await seam[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}

describeWorkerSeam("PostgreSQL", setup);
