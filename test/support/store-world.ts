import { type Clock, type Service, systemClock } from "../../src/base/index.ts";
import { createStore, type Store, type WorkerSeam } from "../../src/store/index.ts";
import { silentLog } from "./silent-log.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

export interface StoreWorld extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly store: Store;
  /** A started seam of a freshly registered worker; stopped with the world. */
  worker(): Promise<WorkerSeam & Service & { readonly workerId: string }>;
}

/** A store over a database of its own. Tests of one file share it and take a tenant each. */
export async function openStoreWorld(clock: Clock = systemClock): Promise<StoreWorld> {
  const db = await createTestDatabase({ clock });
  const store = createStore(db.database, { clock, log: silentLog });
  const seams: Service[] = [];
  return {
    db,
    store,
    worker: async () => {
      const worker = await store.queue.registerWorker("test");
      const seam = store.createWorkerSeam(worker);
      seams.push(seam);
      await seam.start();
      return Object.assign(seam, { workerId: worker.workerId });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(seams.map((seam) => seam.stop()));
      await db[Symbol.asyncDispose]();
    },
  };
}
