import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaemonLife, type DaemonWorld, never, openDaemonWorld } from "../../support/daemon-world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";
import { tableMarks } from "../../support/table-marks.ts";

const hello = dagText({ steps: { hello: logStep() } });
const clock = new FakeClock("2026-11-24T10:00:00.000Z");
let world: DaemonWorld;
let life: DaemonLife;
beforeAll(async () => {
  world = await openDaemonWorld({
    files: {
      ...tenantFiles("acme"),
      ...tenantFiles("beta"),
      [dagPath("acme", "flood")]: hello,
      [dagPath("acme", "calm")]: hello,
      [dagPath("beta", "flood")]: hello,
    },
    clock,
  });
  life = await world.live();
  await reconcilePass(life);
});
afterAll(() => world[Symbol.asyncDispose]());

const order = {
  tenant: "acme",
  dagId: "flood",
  reason: "it floods the feed",
  ticket: "INC-7",
  subject: "omar@hq.example",
};
const until = new Date("2026-11-24T11:00:00.000Z");
const suspendedOf = async (tenant: string): Promise<readonly string[]> =>
  (await life.plant.store.ledger.listDags(tenant)).filter(({ suspended }) => suspended).map(({ dagId }) => dagId);

describe("break-glass over a real store", () => {
  it("stops the one DAG, cancels what waits, keeps its twin of another tenant going, and is on record", async () => {
    const waiting = await life.run("acme", "flood", "waits");
    await life.engines.breakGlass.suspend({ ...order, until });
    await reconcilePass(life);

    await expect(life.run("acme", "flood", "refused")).rejects.toThrow("SUSPENDED");
    await life.run("beta", "flood", "goes on");
    await life.engines.recorder.flush(never);

    expect(await suspendedOf("acme")).toEqual(["flood"]);
    expect(await suspendedOf("beta")).toEqual([]);
    expect(await life.plant.store.ledger.getRun("acme", waiting)).toMatchObject({ state: "cancelled" });
    const [control] = (await world.records<Record<string, unknown>>("acme")).filter(({ kind }) => kind === "control");
    expect(control).toMatchObject({
      ...{ verb: "suspend", target: "dag/flood", ticket: "INC-7", expiresUtc: until.toISOString() },
      actor: { kind: "user", subject: "omar@hq.example" },
      rationale: [{ text: "it floods the feed" }],
    });
    expect(world.verify().findings).toEqual([]);
  });

  it("writes nothing more while it holds, and ends by itself", async () => {
    const marks = await tableMarks(world.db);
    await reconcilePass(life);
    await reconcilePass(life, { full: true });
    const quiet = await tableMarks(world.db);
    await clock.advance(3_600_000);

    await reconcilePass(life);

    expect(quiet).toEqual(marks);
    expect(await suspendedOf("acme")).toEqual([]);
    await life.run("acme", "flood", "again");
  });

  it("resume ends it at once, and says when there is nothing to end", async () => {
    await clock.advance(10);
    const later = new Date(clock.now().getTime() + 3_600_000);
    await life.engines.breakGlass.suspend({ ...order, dagId: null, until: later });
    await reconcilePass(life);
    const stopped = await suspendedOf("acme");
    await clock.advance(10);

    const ended = await life.engines.breakGlass.resume({ ...order, dagId: null });
    await reconcilePass(life);
    const again = await life.engines.breakGlass.resume({ ...order, dagId: null });

    expect(stopped).toEqual(["calm", "flood"]);
    expect([ended, again, await suspendedOf("acme")]).toEqual([true, false, []]);
  });

  it("refuses an end that is past or too far, and a DAG or tenant that is not there", async () => {
    const now = clock.now().getTime();
    const ask = (rest: object) => life.engines.breakGlass.suspend({ ...order, until: new Date(now + 60_000), ...rest });

    await expect(ask({ until: new Date(now) })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(ask({ until: new Date(now + 91 * 86_400_000) })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(ask({ until: new Date("no date") })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(ask({ dagId: "nobody" })).rejects.toMatchObject({ code: "DAG_NOT_FOUND" });
    await expect(ask({ tenant: "nobody", dagId: null })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
