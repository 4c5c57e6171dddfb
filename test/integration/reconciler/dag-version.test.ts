import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openDaemonWorld } from "../../support/daemon-world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, type FileChanges, logStep, tenantFiles } from "../../support/spec-commits.ts";

const textOf = (message: string): string => dagText({ steps: { hello: logStep(message) } });
const coreLog = (name: string): string =>
  readFileSync(new URL(`../../../specs-example/plugins/core.log/1.0.0/${name}`, import.meta.url), "utf8");
const a = dagPath("acme", "a");
const later = dagPath("acme", "later");

/** Commit by commit: what comes and goes between two pushes, what is held when it comes, what returns. */
const history: readonly FileChanges[] = [
  { [a]: textOf("one"), [dagPath("acme", "b")]: textOf("b") },
  { [a]: textOf("two") },
  { [a]: `# the same\n${textOf("one")}` },
  { [a]: "spec: [" },
  { [later]: dagText({ steps: { hello: { ...logStep(), uses: "core.log@1.9.0" } } }) },
  { [a]: textOf("three"), ...tenantFiles("beta"), [dagPath("beta", "a")]: textOf("one") },
  {
    "plugins/core.log/1.9.0/plugin.yaml": coreLog("plugin.yaml"),
    "plugins/core.log/1.9.0/plugin.js": coreLog("plugin.js"),
  },
  { [dagPath("acme", "b")]: null, "tenants/beta/quota.yaml": "spec: [" },
  { [dagPath("acme", "b")]: textOf("b"), [dagPath("beta", "a")]: textOf("four") },
  { ...tenantFiles("beta"), [a]: textOf("two") },
];

interface Kept {
  readonly commits: readonly string[];
  /** `tenant/dag specHash` and the commit of each applied Dag. */
  readonly applied: readonly string[];
}

async function keptAfter(pushes: readonly number[]): Promise<Kept> {
  await using world = await openDaemonWorld({
    clock: new FakeClock("2026-11-24T06:00:00.000Z"),
    files: tenantFiles("acme"),
  });
  const commits: string[] = [world.spec.head];
  for (const changes of history) commits.push(await world.spec.commit(changes));
  const life = await world.live();
  for (const push of pushes) {
    world.spec.move(commits[push] ?? "");
    await reconcilePass(life);
  }
  const dags = await Promise.all(["acme", "beta"].map((tenant) => life.plant.store.ledger.listDags(tenant)));
  const applied = dags
    .flat()
    .map((dag) => `${dag.tenant}/${dag.dagId} ${dag.specHash} ${String(commits.indexOf(dag.commit))}`);
  return { commits, applied };
}

describe("dagVersion.commit", () => {
  it("is the commit that first brought the spec in, however many commits arrive at once", async () => {
    const all = history.map((_, i) => i + 1);
    const oneByOne = await keptAfter([0, ...all]);
    const splits = [[10], [0, 10], [2, 4, 10], [1, 6, 7, 10], [5, 10]];

    const commitOf = (name: string): string | undefined =>
      oneByOne.applied.find((line) => line.startsWith(`${name} `))?.split(" ")[2];
    expect([commitOf("acme/a"), commitOf("acme/b"), commitOf("acme/later")]).toEqual(["2", "1", "5"]);
    expect(commitOf("beta/a")).toBe("9");
    for (const split of splits) expect([split, await keptAfter(split)]).toEqual([split, oneByOne]);
  }, 120_000);
});
