import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeClock } from "../../support/fake-clock.ts";
import { admitRuns, applyTenant, outcomeOf, settlementOf } from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

const clock = new FakeClock();
let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld(clock);
});
afterAll(() => world[Symbol.asyncDispose]());

const log = "ab".repeat(32);

async function runWithLog(tenant: string): Promise<string> {
  await applyTenant(world.store, { tenant });
  const [runId = ""] = await admitRuns(world.store, clock, tenant, ["one"]);
  const seam = await world.worker();
  const [run] = await seam.claim(1);
  await seam.report(run ? [outcomeOf(run, "hello", { logsHash: log })] : []);
  return runId;
}

describe("the ledger's attempts", () => {
  it("are shown without their outputs", async () => {
    const runId = await runWithLog("shown");

    const attempts = await world.store.ledger.attempts("shown", runId);

    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({ stepId: "hello", attempt: 1, status: "succeeded", logsHash: log });
    expect(JSON.stringify(attempts)).not.toContain('{\\"ok\\":true}');
    expect(attempts[0]).not.toHaveProperty("outputText");
  });

  it("lend a log to their own run and tenant alone", async () => {
    const runId = await runWithLog("owner");
    await applyTenant(world.store, { tenant: "stranger" });
    const { ledger } = world.store;

    const answers = await Promise.all([
      ledger.hasLog("owner", runId, log),
      ledger.hasLog("owner", runId, "cd".repeat(32)),
      ledger.hasLog("stranger", runId, log),
      ledger.hasLog("owner", runId, "../../etc/passwd"),
    ]);

    expect(answers).toEqual([true, false, false, false]);
    expect(await ledger.attempts("stranger", runId)).toEqual([]);
  });
});

describe("a clock that is wrong by years", () => {
  it.each(["2031-05-05T05:05:05.000Z", "1999-12-31T23:59:59.999Z"])(
    "lets a run in at %s that can still settle",
    async (at) => {
      const tenant = `year-${at.slice(0, 4)}`;
      await applyTenant(world.store, { tenant });
      const [runId = ""] = await admitRuns(world.store, new FakeClock(at), tenant, ["one"]);
      const seam = await world.worker();
      const run = (await seam.claim(9)).find((claimed) => claimed.runId === runId);

      await seam.report(run ? [outcomeOf(run, "hello")] : []);
      const verdicts = await seam.settle(run ? [settlementOf(run)] : []);

      expect(verdicts).toEqual(["stored"]);
      expect(await world.store.ledger.getRun(tenant, runId)).toMatchObject({ state: "succeeded" });
      expect(await world.store.ledger.attempts(tenant, runId)).toHaveLength(1);
    },
  );
});
