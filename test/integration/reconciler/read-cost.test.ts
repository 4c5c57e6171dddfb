import { describe, expect, it } from "vitest";
import type { Compute } from "../../../src/compute/index.ts";
import { toOid } from "../../../src/git/index.ts";
import type { DesiredDag } from "../../../src/plan/index.ts";
import { DesiredReader } from "../../../src/reconciler/index.ts";
import { type DaemonLife, never, openDaemonWorld } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

const names = Array.from({ length: 40 }, (_, n) => `d${String(n)}`);
const textOf = (message: string): string =>
  dagText({
    schedules: [{ name: "daily", cron: "0 3 * * *", timezone: "Europe/Vienna" }],
    steps: { hello: logStep(message) },
  });
const openWorld = () =>
  openDaemonWorld({
    files: {
      ...tenantFiles("acme"),
      ...Object.fromEntries(names.map((name) => [dagPath("acme", name), textOf(name)])),
      ...tenantFiles("umbra"),
      [dagPath("umbra", "alone")]: textOf("alone"),
    },
  });

/** Paths that the threads were asked to decode, in `seen`. */
function counting(compute: Compute, seen: string[]): Compute {
  return {
    ...compute,
    decode: (documents, signal) => {
      seen.push(...documents.map(({ path }) => path));
      return compute.decode(documents, signal);
    },
  };
}

/** The same life, its threads watched. */
function watched(life: DaemonLife, seen: string[]): DaemonLife {
  Object.assign(life.plant, { compute: counting(life.plant.compute, seen) });
  return life;
}

describe("the cost of a pass", () => {
  it("of a daemon that restarts on a settled site reads no spec", async () => {
    await using world = await openWorld();
    await reconcilePass(await world.live());
    const seen: string[] = [];

    const pass = await reconcilePass(watched(await world.live(), seen));

    expect(pass.applied).toEqual([]);
    expect(seen).toEqual([]);
  });

  it("of a commit to one tenant reads no spec of another", async () => {
    await using world = await openWorld();
    const life = await world.live();
    await reconcilePass(life);
    await world.spec.commit({ [dagPath("umbra", "alone")]: textOf("changed") });
    const seen: string[] = [];

    const pass = await reconcilePass(watched(life, seen));

    expect(pass.applied).toEqual(["umbra"]);
    expect(seen.filter((path) => path.startsWith("tenants/acme/"))).toEqual([]);
  });

  it("of one DAG among many decodes and judges that one; a new allowlist judges all again", async () => {
    await using world = await openWorld();
    const { plant } = await world.live();
    const seen: string[] = [];
    const reader = new DesiredReader(plant.repository, counting(plant.compute, seen));
    const dagsOf = async (): Promise<ReadonlyMap<string, DesiredDag>> => {
      const { desired } = await reader.readTenant(toOid(world.spec.head), "acme", never);
      return new Map(desired.kind === "readable" ? desired.dags.map((dag) => [dag.dagId, dag]) : []);
    };
    const first = await dagsOf();
    await world.spec.commit({ [dagPath("acme", "d7")]: textOf("changed") });
    seen.length = 0;

    const second = await dagsOf();

    expect(seen).toEqual([dagPath("acme", "d7")]);
    expect(names.filter((name) => second.get(name) !== first.get(name))).toEqual(["d7"]);
    await world.spec.commit({ "tenants/acme/allowlist.yaml": "apiVersion: orrery/v1\nkind: Allowlist\nspec: {}\n" });
    const third = await dagsOf();
    expect([...third.values()].every((dag) => dag.kind === "readable" && !dag.armed)).toBe(true);
  });

  it("keeps a list of DAGs whole: each with its own schedules and conditions, one DAG as in the list", async () => {
    await using world = await openWorld();
    const life = await world.live();
    await reconcilePass(life);
    const { ledger } = life.plant.store;

    const list = await ledger.listDags("acme");

    expect(list.map(({ dagId }) => dagId)).toEqual([...names].sort());
    for (const dag of list) {
      expect(dag.conditions.map(({ name, type }) => [name, type])).toEqual([
        [dag.dagId, "Ready"],
        [dag.dagId, "Stalled"],
      ]);
      expect(dag.schedules.map(({ schedule }) => schedule)).toEqual(["daily"]);
    }
    expect(await ledger.getDag("acme", "d7")).toEqual(list.find(({ dagId }) => dagId === "d7"));
  });
});
