import { FakeQueue } from "../../support/fake-seam.ts";
import { describeWorkerSeam } from "../../support/worker-seam-suite.ts";
import { dag, startUtc } from "./worker-fixture.ts";

// The fake that the worker's tests stand on keeps what PostgreSQL's seam keeps, or they prove nothing.
describeWorkerSeam("the fake queue", () => {
  const queue = new FakeQueue();
  const ref = (runId: string): { tenant: string; runId: string } => ({ tenant: "acme", runId });
  return Promise.resolve({
    worker: async () => {
      const worker = await queue.registerWorker();
      return Object.assign(queue.createSeam(worker), { workerId: worker.workerId });
    },
    admit: (key) =>
      Promise.resolve(queue.admit({ spec: dag({ hello: {} }), snapshot: "", startedUtc: startUtc, key }).runId),
    cancel: (runId) => {
      queue.askCancel(ref(runId), "enough", "ana");
      return Promise.resolve();
    },
    lose: (workerId) => {
      queue.rescue(workerId);
      return Promise.resolve();
    },
    attempts: (runId) => Promise.resolve(queue.run(ref(runId)).attempts),
    status: (runId) => Promise.resolve(queue.run(ref(runId)).settlement?.status ?? null),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
