import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import { createTokenVerifier, openApiKey } from "../../../src/identity/index.ts";
import type { DagView } from "../../../src/store/index.ts";
import { scratchDir, stockGit } from "../../support/git-fixtures.ts";
import { openApi } from "../api/api-fixture.ts";
import { nobodysEnvironment, openHome, orrery, shell } from "./cli-fixture.ts";

interface PlanJson {
  readonly comparedWith: string;
  readonly stalled: { readonly code: string } | null;
  readonly tenants: readonly {
    readonly tenant: string;
    readonly dags: readonly { readonly kind: string; readonly dagId: string; readonly to: string | null }[];
    readonly documents: readonly { readonly document: string }[];
  }[];
}

/** A site by init, a signed clone of it, and no daemon. */
async function setup() {
  const home = openHome();
  const environment = nobodysEnvironment(home);
  const data = home.join("data");
  const { out } = await orrery("init", home.join("specs.git"), "--data", data, "--key", home.key);
  const lines = out.split("\n");
  const clone = lines.slice(lines.findIndex((line) => line.startsWith("And a clone")) + 1);
  shell(home.path, clone, { HOME: home.path });
  const work = home.join("specs-work");
  const push = (script: string, signed = true): void => {
    const commit = `git add -A && git commit -q ${signed ? "-S" : "--no-gpg-sign"} -m change && git push -q origin main`;
    shell(work, [script, commit], { HOME: home.path });
  };
  return {
    ...{ home, data, push },
    plan: (...more: string[]) => orrery("plan", "--data", data, ...more),
    json: async (...more: string[]) =>
      JSON.parse((await orrery("plan", "--data", data, ...more, "-o", "json")).out) as PlanJson,
    head: () => stockGit(home.join("specs.git"), ["rev-parse", "main"]),
    [Symbol.dispose]: () => {
      environment[Symbol.dispose]();
      home[Symbol.dispose]();
    },
  };
}

type Site = Awaited<ReturnType<typeof setup>>;

/** A daemon's API that says that `revision` is applied, as its own plan for it says. */
async function openDaemon(site: Site, revision: string) {
  const planned = await site.json("--ref", revision);
  const dags = planned.tenants.flatMap(({ tenant, dags: changes }) =>
    changes.map(
      (change): DagView => ({
        ...{
          tenant,
          dagId: change.dagId,
          specHash: change.to ?? "",
          specText: '{"apiVersion":"orrery/v1","kind":"Dag","spec":{"steps":{}}}',
          commit: revision,
        },
        ...{ armed: true, suspended: false, pruned: false, schedules: [], conditions: [], appliedRevision: revision },
      }),
    ),
  );
  const key = await openApiKey(site.data, true);
  const api = await openApi({
    verifier: createTokenVerifier(key.jwks, systemClock),
    ledger: {
      listDags: (tenant: string) => Promise.resolve(dags.filter((dag) => dag.tenant === tenant)),
      listRuns: (tenant: string) =>
        Promise.resolve([{ tenant, dagId: "hello", runId: "r", runNo: 7, state: "queued", endedUtc: null }]),
    } as never,
    site: () => ({
      ...{ site: "local", version: "0", appliedRevision: revision, ready: true, reasons: [] },
      sandbox: { level: "confined", reason: null, hosts: 4 },
      stalled: null,
    }),
  });
  const file = JSON.stringify({ pid: process.pid, url: api.url, metricsUrl: api.metricsUrl });
  writeFileSync(`${site.data}/daemon.json`, file);
  return api;
}

describe("orrery plan", () => {
  it("without a daemon everything is new, and it says so; exit 1", async () => {
    using site = await setup();

    const { exit, out, notes } = await site.plan();

    expect(exit).toBe(1);
    expect(out).toContain("+ Dag hello: new at");
    expect(notes).toContain(`no daemon runs on ${site.data}: compared with an empty site`);
  });

  it("what the daemon has applied is no change; exit 0", async () => {
    using site = await setup();
    await using _ = await openDaemon(site, site.head());

    const { exit, out, notes } = await site.plan();

    expect(out).toContain("No changes.");
    expect([exit, notes]).toEqual([0, ""]);
  });

  it("names what a new commit would create, update and hold; exit 1", async () => {
    using site = await setup();
    await using _ = await openDaemon(site, site.head());
    site.push(`cd tenants/example/dags
sed 's/hello from/good day from/' hello.yaml > new.yaml
sed -i 's/core.log@1/core.log@7/' hello.yaml
cd .. && printf 'apiVersion: orrery/v1\\nkind: Quota\\nspec: { weight: 3 }\\n' > quota.yaml`);

    const { exit, out } = await site.plan();
    const { tenants } = await site.json();

    expect(exit).toBe(1);
    expect(tenants[0]?.dags.map(({ kind, dagId }) => `${kind} ${dagId}`)).toEqual(["hold hello", "create new"]);
    expect(tenants[0]?.documents.map(({ document }) => document)).toEqual(["Quota"]);
    expect(out).toContain("PLUGIN_UNKNOWN");
  });

  it("more prunes than the brake allows wait for a person; exit 5", async () => {
    using site = await setup();
    site.push("cd tenants/example/dags && for i in 1 2 3; do cp hello.yaml h$i.yaml; done");
    await using _ = await openDaemon(site, site.head());
    site.push("rm tenants/example/dags/h*.yaml");

    const { exit, out } = await site.plan();

    expect(out).toContain("4 of 4 DAGs would be pruned");
    expect(exit).toBe(5);
  });

  it("an unsigned commit is planned, with the word that the daemon would not follow it; exit 1", async () => {
    using site = await setup();
    await using _ = await openDaemon(site, site.head());
    site.push("echo x >> README.md", false);

    const { exit, out } = await site.plan();

    expect(out).toMatch(/would not follow commit [0-9a-f]{12}: ORY4001 TRUST_UNSIGNED/);
    expect(exit).toBe(1);
  });

  it("a daemon that left its file behind counts as none; one that lives and does not answer is exit 4", async () => {
    using site = await setup();
    const file = { pid: 2 ** 22 + 1, url: "http://127.0.0.1:1", metricsUrl: "http://127.0.0.1:1" };
    writeFileSync(`${site.data}/daemon.json`, JSON.stringify(file));
    const dead = await site.plan();
    writeFileSync(`${site.data}/daemon.json`, JSON.stringify({ ...file, pid: process.pid }));
    const silent = await site.plan();

    expect(dead.exit).toBe(1);
    expect(silent).toMatchObject({ exit: 4, notes: expect.stringContaining("DAEMON_UNREACHABLE") as unknown });
  });

  it("a missing ref is exit 4, a folder without a repository too", async () => {
    using site = await setup();
    using empty = scratchDir();
    mkdirSync(empty.join("data"));

    expect((await site.plan("--ref", "nowhere")).exit).toBe(4);
    expect((await orrery("plan", "--repo", empty.path, "--data", empty.join("data"))).exit).toBe(4);
  });

  it("between two commits needs no daemon, and gives the same bytes from a clone elsewhere", async () => {
    using site = await setup();
    const from = site.head();
    site.push(`cd tenants/example/dags
sed -i 's/hello from/good day from/' hello.yaml
sed 's/^  steps:/  schedules: [{ cron: "30 3 * * *", timezone: Europe\\/Vienna }]\\n  steps:/' hello.yaml > nightly.yaml
cd .. && printf 'apiVersion: orrery/v1\\nkind: Quota\\nspec: { weight: 3 }\\n' > quota.yaml
sed -i 's/core\\.log/core.*/' allowlist.yaml`);
    const elsewhere = site.home.join("elsewhere.git");
    stockGit(site.home.path, ["clone", "-q", "--bare", site.home.join("specs.git"), elsewhere]);

    const outputs = [];
    for (const repo of [site.home.join("specs.git"), elsewhere, site.home.join("specs-work")])
      for (const output of ["text", "json", "markdown"])
        outputs.push((await orrery("plan", `${from}..main`, "--repo", repo, "-o", output)).out);
    const [text = "", json = "", markdown = ""] = outputs;

    expect(outputs.slice(3, 6)).toEqual([text, json, markdown]);
    expect(outputs.slice(6)).toEqual([text, json, markdown]);
    expect(text).toContain("~ Dag hello: spec");
    expect(text).toMatch(/~ steps\.hello\.with\.message: "hello from .*" -> "good day from /u);
    expect(text).toMatch(/next slots after: {2}\d{4}-\d\d-\d\dT0[12]:30:00Z \(03:30 Europe\/Vienna\), /u);
    expect(text).toContain("~ weight: 1 -> 3");
    expect(markdown).toContain("| added | `Dag nightly` | armed |");
    expect(JSON.parse(json)).toMatchObject({ comparedWith: "revision", from, complete: true, applyable: true });
  });

  it("takes commits by branch, HEAD, full and short id, ^ and ~n, and names what is none", async () => {
    using site = await setup();
    const first = site.head();
    site.push("cp tenants/example/dags/hello.yaml tenants/example/dags/two.yaml");
    site.push("cp tenants/example/dags/hello.yaml tenants/example/dags/three.yaml");
    const repo = ["--repo", site.home.join("specs.git")];
    const created = async (range: string): Promise<string> => {
      const { tenants } = JSON.parse((await orrery("plan", range, ...repo, "-o", "json")).out) as PlanJson;
      return tenants.flatMap(({ dags }) => dags.map(({ kind, dagId }) => `${kind} ${dagId}`)).join();
    };

    const ranges = [
      `${first}..main`,
      `${first.slice(0, 8)}..main`,
      "main~2..refs/heads/main",
      "main^..",
      "main~1..main^",
      "HEAD~2..HEAD",
      "@^..main",
    ];
    const answers = [];
    for (const range of ranges) answers.push(await created(range));
    const wrong = [];
    for (const range of ["main~9..main", "nobody..main", "0000000..main", "main..main..main", "..main"])
      wrong.push((await orrery("plan", range, ...repo)).exit);

    const both = "create three,create two";
    expect(answers).toEqual([both, both, both, "create three", "", both, "create three"]);
    expect(wrong).toEqual([4, 4, 4, 2, 2]);
  });

  it("names the runs that a change touches, where a daemon runs", async () => {
    using site = await setup();
    await using _ = await openDaemon(site, site.head());
    site.push("sed -i 's/hello from/good day from/' tenants/example/dags/hello.yaml");

    const { out } = await site.plan();

    expect(out).toContain("run #7 is queued: ends as it began");
  });
});
