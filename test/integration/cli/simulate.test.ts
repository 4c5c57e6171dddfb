import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";
import { orrery } from "./cli-fixture.ts";

const ticking = (every: string): string => dagText({ schedules: [{ every }], steps: { hello: logStep() } });

let world: DaemonWorld;
let first: string;
beforeAll(async () => {
  world = await openDaemonWorld({
    files: { ...tenantFiles("acme"), ...tenantFiles("beta"), [dagPath("acme", "tick")]: ticking("10m") },
  });
  first = world.spec.head;
  await world.spec.commit({ [dagPath("acme", "tick")]: ticking("1m"), [dagPath("beta", "new")]: ticking("30m") });
});
afterAll(() => world[Symbol.asyncDispose]());

const simulate = (...args: readonly string[]) =>
  orrery("simulate", ...args, "--repo", world.spec.dir, "--from", "2026-05-01", "--to", "2026-05-01T01:00:00Z");

describe("orrery simulate", () => {
  it("shows slots, waiting and the queue before and after a change", async () => {
    const { exit, out } = await simulate(`${first}..main`, "--duration", "2m");
    const lines = out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));

    expect(exit).toBe(0);
    expect(lines[1]).toBe("TENANT | SLOTS | START | REFUSED | LEFT WAITING | QUEUE MAX | WAIT P50 | WAIT P95");
    expect(lines[2]).toBe("acme | 6 -> 60 | 6 -> 30 | 0 | 0 -> 30 | 1 -> 30 | 0 -> 14m | 0 -> 28m");
    expect(lines[3]).toBe("beta | 0 -> 2 | 0 -> 2 | 0 | 0 | 0 -> 1 | - -> 0 | - -> 0");
    expect(lines.at(-1)).toBe("run times of 2 DAGs: 2 assumed");
  });

  it("takes run times from a file, and gives JSON that is the same from a clone", async () => {
    const file = `${world.spec.dir}.durations.json`;
    writeFileSync(file, '{"acme/tick":"30s"}');
    const clone = `${world.spec.dir}.clone`;
    stockGit("/", ["clone", "-q", "--bare", world.spec.dir, clone]);

    const one = await simulate("main", "--durations", file, "-o", "json");
    const two = await simulate("main", "--durations", file, "-o", "json", "--repo", clone);

    expect(JSON.parse(one.out)).toMatchObject({
      before: null,
      after: {
        tenants: [
          { tenant: "acme", started: 60, waiting: 0 },
          { tenant: "beta", started: 2 },
        ],
      },
      durations: { "acme/tick": { ms: 30_000, source: "given" }, "beta/new": { source: "assumed" } },
    });
    expect(two.out).toBe(one.out);
  });

  it("plays a day's budget by what a run is said to take, and says where nobody said it", async () => {
    const base = world.spec.head;
    const quota = "apiVersion: orrery/v1\nkind: Quota\nspec: { perDay: { cpuTime: 1m, artifacts: 1Gi } }\n";
    await world.spec.commit({ "tenants/acme/quota.yaml": quota });
    const change = `${base}..main`;
    const file = `${world.spec.dir}.costs.json`;
    writeFileSync(file, '{"acme/tick":{"duration":"30s","cpu":"7s"}}');

    const silent = await simulate(change);
    const usual = await simulate(change, "--cpu", "10s", "--artifacts", "1Mi");
    const named = JSON.parse((await simulate(change, "--durations", file, "-o", "json")).out) as object;
    await world.spec.commit({ "tenants/acme/quota.yaml": null });

    expect(silent.out).toContain(
      "perDay.cpuTime of acme was NOT played for acme/tick: nobody said what a run takes (--cpu, --durations)",
    );
    expect(silent.out).toContain("perDay.artifacts of acme was NOT played for acme/tick");
    expect(usual.out).toContain("quota of acme refuses: 0 -> 54 CPU_BUDGET_SPENT");
    expect(usual.out).toContain("perDay.cpuTime of acme was played");
    expect(named).toMatchObject({
      before: { tenants: [{ tenant: "acme", refused: {} }, {}] },
      after: { tenants: [{ tenant: "acme", skipped: { quota: 51 }, refused: { CPU_BUDGET_SPENT: 51 } }, {}] },
      budgets: [{ tenant: "acme", cpuTime: { unknown: [] }, artifacts: { unknown: ["acme/tick"] } }],
    });
  });

  it("names each slot, before and after, where --slots asks for it", async () => {
    const { out } = await simulate(`${first}..main`, "--duration", "90s", "--slots");
    const lines = out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));

    expect(lines).toContain("SLOT | DAG | SCHEDULE | BEFORE | AFTER");
    expect(lines).toContain("2026-05-01T00:01:00Z | acme/tick | default | - | starts");
    expect(lines).toContain("2026-05-01T00:10:00Z | acme/tick | default | starts | starts after 270s");
    expect(lines).toContain("2026-05-01T01:00:00Z | acme/tick | default | starts | waiting");
  });

  it("refuses a window that ends before it begins and what is no instant, duration or list of durations; exit 2", async () => {
    const window = ["--repo", world.spec.dir];
    const odd = `${world.spec.dir}.odd.json`;
    writeFileSync(odd, '{"acme/tick":{"memory":"5s"}}');
    const wrong = [
      ["simulate", ...window, "--from", "2026-05-02", "--to", "2026-05-01"],
      ["simulate", ...window, "--from", "yesterday", "--to", "2026-05-01"],
      ["simulate", ...window, "--to", "2026-05-01"],
      ["simulate", ...window, "--from", "2026-05-01", "--to", "2026-05-02", "--duration", "soon"],
      ["simulate", ...window, "--from", "2026-05-01", "--to", "2026-05-02", "--durations", world.spec.dir],
      ["simulate", ...window, "--from", "2026-05-01", "--to", "2026-05-02", "--durations", odd],
      ["simulate", ...window, "--from", "2026-05-01", "--to", "2026-05-02", "--cpu", "much"],
      ["simulate", ...window, "--from", "2026-05-01", "--to", "2026-05-02", "--artifacts", "5 MB"],
    ];

    for (const args of wrong) expect([args, (await orrery(...args)).exit]).toEqual([args, 2]);
  });
});
