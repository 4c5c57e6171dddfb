import { randomUUID } from "node:crypto";
import { type Clock, utcText } from "../../base/index.ts";
import type { Database, Statement } from "../../database/index.ts";
import type { QueueStore } from "../lease-store.ts";
import { siteTenant } from "./site.ts";
import { sweepHistory } from "./sweeps.ts";

export function createQueueStore(database: Database, clock: Pick<Clock, "now">): QueueStore {
  const count = async (statement: Statement): Promise<number> => {
    const [row] = await database.transaction((session) => session.query<{ n: number }>(statement));
    return row?.n ?? 0;
  };
  return {
    registerWorker: (name) =>
      database.withTenant(siteTenant, async (session) => {
        const workerId = randomUUID();
        const [row] = await session.query<{ epoch: number }>({
          text: "insert into worker (worker_id, name) values ($1, $2) returning epoch",
          values: [workerId, name],
        });
        return { workerId, epoch: row?.epoch ?? 1 };
      }),
    rescue: (ttlMs) =>
      count({ name: "rescue", text: "select rescue(make_interval(secs => $1 / 1000.0), null) as n", values: [ttlMs] }),
    sweep: () => count({ name: "sweep", text: "select sweep($1) as n", values: [utcText(clock.now())] }),
    sweepHistory: (bounds) => sweepHistory(database, bounds),
    retireWorker: async (workerId) => {
      await count({ text: "select rescue(null, $1) as n", values: [workerId] });
    },
  };
}
