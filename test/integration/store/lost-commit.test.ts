import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import { connectDatabase } from "../../../src/database/index.ts";
import { createStore } from "../../../src/store/index.ts";
import { type CutDecision, openPostgresProxy } from "../../support/postgres-proxy.ts";
import { silentLog } from "../../support/silent-log.ts";
import { admitRuns, applyTenant, outcomeOf, quotaOf, settlementOf } from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Two runs of three steps through a seam whose connection goes through the proxy; answers how many commits it took. */
async function walkThroughProxy(
  tenant: string,
  decide: CutDecision,
): Promise<{ commits: number; verdicts: unknown; runIds: readonly string[] }> {
  const { store, db } = world;
  let armed = false;
  let offset = 0;
  await using proxy = await openPostgresProxy(db.targets.admin.host ?? "", (point) =>
    armed ? decide({ ...point, commit: point.commit - offset }) : "pass",
  );
  const through = (target: object) => ({ ...target, host: proxy.socketDir });
  const { admin, app } = db.targets;
  const proxied = await connectDatabase(
    { ...db.targets, admin: through(admin), app: through(app) },
    { log: silentLog, clock: systemClock },
  );
  const seam = createStore(proxied, { clock: systemClock, log: silentLog }).createWorkerSeam(
    await store.queue.registerWorker("test"),
  );
  try {
    await applyTenant(store, { tenant, quota: quotaOf({ maxConcurrent: 2 }) });
    const runIds = await admitRuns(store, systemClock, tenant, ["a", "b"]);
    await seam.start();
    offset = proxy.counts.commits;
    armed = true;

    const runs = await seam.claim(2);
    const mark = { ...runs[0]!, stepId: "x", index: 0, attempt: 1, startedUtc: runs[0]!.startedUtc };
    const verdicts = [await seam.begin([mark])];
    for (const step of ["x", "y"])
      verdicts.push(...(await Promise.all(runs.map((run) => seam.report([outcomeOf(run, step)])))));
    const last = [
      seam.report(runs.map((run) => outcomeOf(run, "z"))),
      seam.settle(runs.map((run) => settlementOf(run))),
    ];
    verdicts.push(...(await Promise.all(last)));
    return { commits: proxy.counts.commits - offset, verdicts: [runs.map((run) => run.runId), verdicts], runIds };
  } finally {
    await seam.stop();
    await proxied.close();
  }
}

describe("a connection that is lost at a commit", () => {
  it("changes nothing that the worker hears or the database holds, whichever commit it is", async () => {
    const plain = await walkThroughProxy("plain", () => "pass");
    expect(plain.commits).toBeGreaterThanOrEqual(4);
    const sorted = (ids: readonly string[]): string[] => [...ids].sort();

    for (let commit = 1; commit <= plain.commits; commit++) {
      for (const when of ["before", "after"] as const) {
        const tenant = `cut-${String(commit)}-${when}`;
        let cuts = 0;
        const walked = await walkThroughProxy(tenant, (point) => {
          if (cuts > 0 || point.commit !== commit || point.when !== when) return "pass";
          cuts += 1;
          return "cut";
        });

        expect([tenant, cuts]).toEqual([tenant, 1]);
        const [claimed, verdicts] = walked.verdicts as [string[], string[][]];
        expect(sorted(claimed)).toEqual(sorted(walked.runIds));
        expect([tenant, new Set(verdicts.flat())]).toEqual([tenant, new Set(["stored"])]);
        const counts = await world.db.admin(
          `select (select count(*)::int from attempt where tenant_id = $1) as attempts, (select count(*)::int from output where tenant_id = $1) as outputs,
            (select count(*)::int from run where tenant_id = $1) as runs, (select count(*)::int from outbox where tenant_id = $1) as bodies,
            (select count(*)::int from run_live where tenant_id = $1) as live, (select count(*)::int from step_live where tenant_id = $1) as marks,
            (select admitted from tenant where tenant_id = $1) as admitted`,
          [tenant],
        );
        expect([tenant, counts]).toEqual([
          tenant,
          [{ attempts: 6, outputs: 6, runs: 2, bodies: 2, live: 0, marks: 0, admitted: 0 }],
        ]);
      }
    }
  });
});
