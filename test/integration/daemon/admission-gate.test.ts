import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tick } from "../../../src/scheduler/index.ts";
import { type DaemonLife, type DaemonWorld, never, openDaemonWorld, worldSite } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

let world: DaemonWorld;
let life: DaemonLife;
beforeAll(async () => {
  world = await openDaemonWorld({
    files: { ...tenantFiles("acme"), [dagPath("acme", "hello")]: dagText({ steps: { hello: logStep() } }) },
  });
  life = await world.live();
  await reconcilePass(life);
});
afterAll(() => world[Symbol.asyncDispose]());

describe("a site that starts nothing", () => {
  it("refuses a start by hand with a denial on record, but still answers for a run that it started", async () => {
    const before = await life.run("acme", "hello", "known");
    life.plant.gate.close("RecorderKeyUnknown", "what an operator reads");

    await expect(life.run("acme", "hello", "new")).rejects.toThrow("RecorderKeyUnknown");
    const again = await life.run("acme", "hello", "known");
    life.plant.gate.open("RecorderKeyUnknown");
    const after = await life.run("acme", "hello", "new");
    await life.engines.recorder.flush(never);

    expect(again).toBe(before);
    // A refused start spends neither key nor number.
    expect((await life.plant.store.ledger.getRun("acme", after))?.runNo).toBe(2);
    const denials = (await world.records("acme")).filter(({ kind }) => kind === "denial");
    expect(denials.map(({ code, dagId }) => [code, dagId])).toEqual([["ADMISSION_CLOSED", "hello"]]);
    expect(world.verify().findings).toEqual([]);
  });

  it.each([
    ["records that wait for too long", { ready: true, reason: "AuditLag", closesAdmission: true }, false],
    ["a branch that is ahead of the database", { ready: false, reason: "AuditAhead", closesAdmission: true }, false],
    [
      "a forked branch, while records may still wait",
      { ready: false, reason: "AuditForked", closesAdmission: false },
      true,
    ],
    ["a signer that has to be asked again", { ready: false, reason: "SignerLost", closesAdmission: false }, true],
  ])("%s: admission and readiness say so", (_, state, isOpen) => {
    life.view.takeRecorder({ ...state, message: "see the log" });
    const { reasons } = life.view.status();
    const isOpenThen = life.plant.gate.isOpen;

    life.view.takeRecorder({ ready: true, reason: "Recording", message: "", closesAdmission: false });

    expect(isOpenThen).toBe(isOpen);
    expect(reasons).toContainEqual({ reason: "Audit", message: `${state.reason}: see the log` });
    expect(life.plant.gate.isOpen).toBe(true);
  });

  it("before the first pass of its life starts nothing and skips nothing: the slots wait", async () => {
    const early = await world.live();
    await world.db.admin("insert into watermark values ('acme', 'hello', 'default', now() - interval '2 s', now())");
    const marks = await world.db.admin("select slot, next_due from watermark");

    await expect(early.run("acme", "hello", "early")).rejects.toThrow("Starting");
    const looked = await tick(early.engines.starting, { site: worldSite, runtime: early.plant.runtime }, never);

    expect([looked, early.view.status().ready]).toEqual([0, false]);
    expect(await world.db.admin("select slot, next_due from watermark")).toEqual(marks);
    await world.db.admin("delete from watermark");
    await reconcilePass(early);
    expect(early.plant.gate.isOpen).toBe(true);
    await early.run("acme", "hello", "early");
  });
});
