import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../src/base/index.ts";
import { publicKeyLine } from "../../../src/trust/index.ts";
import { recorderKey } from "../../support/audit-fixtures.ts";
import { openDaemonWorld, worldSite } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, siteFile, tenantFiles } from "../../support/spec-commits.ts";
import { tableMarks } from "../../support/table-marks.ts";

const dayMs = 86_400_000;
const textOf = (message: string): string => dagText({ steps: { hello: logStep(message) } });
const siteText = `${siteFile(publicKeyLine(recorderKey.blob))}  offline: { warnAfter: 14d, stopAfter: 30d }\n`;
const openWorld = () =>
  openDaemonWorld({
    files: {
      ...tenantFiles("acme"),
      [`sites/${worldSite}.yaml`]: siteText,
      [dagPath("acme", "hello")]: textOf("hello"),
    },
  });

/** The clock of a daemon so many days from now. */
const days = (count: number): Clock => ({
  ...systemClock,
  now: () => new Date(systemClock.now().getTime() + count * dayMs),
});

describe("a site whose newest commit is old", () => {
  it("goes on and says so, then starts nothing, then goes on with a new commit; a pass between writes nothing", async () => {
    await using world = await openWorld();
    const siteNow = async (age: number) => {
      const life = await world.live({ clock: days(age) });
      await reconcilePass(life);
      const marks = await tableMarks(world.db);
      await reconcilePass(life);
      expect(await tableMarks(world.db)).toEqual(marks);
      const [ready] = await world.db.admin<{ status: string; reason: string }>(
        "select status, reason from condition where kind = 'Site' and type = 'Ready'",
      );
      return [ready?.status, ready?.reason, life.plant.gate.isOpen];
    };

    expect(await siteNow(13)).toEqual(["True", "Applied", true]);
    expect(await siteNow(15)).toEqual(["True", "Stale", true]);
    expect(await siteNow(31)).toEqual(["False", "Stale", false]);
    expect(await siteNow(15)).toEqual(["True", "Stale", true]);
    await world.spec.commit({ [dagPath("acme", "hello")]: textOf("news") });
    expect(await siteNow(1)).toEqual(["True", "Applied", true]);
  });

  it("still takes in what came late: an old commit is applied, and nothing of it starts", async () => {
    await using world = await openWorld();
    await reconcilePass(await world.live());
    await world.spec.commit({ [dagPath("acme", "late")]: textOf("late") });
    const life = await world.live({ clock: days(40) });

    const pass = await reconcilePass(life);

    expect(pass.applied).toEqual(["acme"]);
    await expect(life.run("acme", "late", "key")).rejects.toThrow("Stale");
  });

  it("starts nothing either while its branch is gone: what stands is judged by the same rule", async () => {
    await using world = await openWorld();
    await reconcilePass(await world.live());
    world.spec.remove();
    const life = await world.live({ clock: days(40) });

    await reconcilePass(life);

    await expect(life.run("acme", "hello", "key")).rejects.toThrow("Stale");
  });
});
