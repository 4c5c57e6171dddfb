import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Grant } from "../../../src/cli/query/spec-grants.ts";
import { createPrivateKeyFile, readPrivateKey } from "../../../src/signer/index.ts";
import { publicKeyLine } from "../../../src/trust/index.ts";
import { type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { scratchDir } from "../../support/git-fixtures.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";
import { exampleWorkTree, orrery } from "./cli-fixture.ts";

const nightly = dagText({
  schedules: [{ name: "nightly", cron: "30 3 * * *", timezone: "Europe/Vienna" }],
  steps: { hello: logStep() },
});
const denied = dagText({
  schedules: [{ every: "6h" }],
  steps: { call: logStep("x", { network: ["collector.example:443"] }) },
});

const trustRules = `apiVersion: orrery/v1
kind: Repository
spec:
  trust:
    commits: none
    groups: { devs: [ana@acme.example], operators: [omar@hq.example], security: [sam@hq.example] }
    paths:
      - { match: "{orrery.yaml,keys/**,tenants/acme/dags/nightly-*.yaml}", by: security, approvals: 2 }
      - { match: "tenants/*/quota.yaml", by: operators, approvals: 1 }
      - { match: "tenants/acme/dags/**", by: devs }
`;

function createKey(file: string): string {
  createPrivateKeyFile(file, "ana@acme.example");
  return file;
}

let world: DaemonWorld;
let first: string;
beforeAll(async () => {
  world = await openDaemonWorld({
    files: {
      ...tenantFiles("acme"),
      ...tenantFiles("beta"),
      [dagPath("acme", "nightly")]: nightly,
      [dagPath("acme", "denied")]: denied,
      [dagPath("acme", "twice")]: dagText({
        schedules: [{ cron: "30 2 * * *", timezone: "Europe/Vienna" }],
        steps: { hello: logStep() },
      }),
      [dagPath("beta", "broken")]: "spec: [",
    },
  });
  first = world.spec.head;
  await world.spec.commit({
    "tenants/acme/allowlist.yaml":
      'apiVersion: orrery/v1\nkind: Allowlist\nspec:\n  plugins:\n    - { name: "core.*", versions: ["2.x"] }\n  endpoints:\n    - { host: collector.example, port: 443, for: ["core.log"] }\n',
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const ask = (...args: readonly string[]) => orrery(...args, "--repo", world.spec.dir);
const flat = (out: string): readonly string[] => out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));

describe("orrery schedule next", () => {
  it("gives UTC and local time over the change of the clocks, in one order, with why a slot would start nothing", async () => {
    const { exit, out, notes } = await ask(
      "schedule",
      "next",
      "acme",
      "-n",
      "2",
      "--from",
      "2026-10-24",
      "--at",
      first,
    );

    expect(exit).toBe(0);
    expect(flat(out).slice(1)).toEqual([
      "2026-10-24T00:30:00Z | 2026-10-24 02:30:00 Europe/Vienna | acme/twice | default",
      "2026-10-24T01:30:00Z | 2026-10-24T03:30:00 Europe/Vienna | acme/nightly | nightly".replace("24T03", "24 03"),
      "2026-10-24T06:00:00Z | acme/denied | default | not armed: ENDPOINT_NOT_ALLOWED",
      "2026-10-24T12:00:00Z | acme/denied | default | not armed: ENDPOINT_NOT_ALLOWED",
      "2026-10-25T00:30:00Z | 2026-10-25 02:30:00 Europe/Vienna | acme/twice | default | first of two such times",
      "2026-10-25T02:30:00Z | 2026-10-25 03:30:00 Europe/Vienna | acme/nightly | nightly",
    ]);
    expect(notes).toMatch(/^acme\/denied is not armed: tenants\/acme\/dags\/denied\.yaml:\d+:\d+ ORY/u);
  });

  it("marks a time that does not exist and one that comes twice; -o json has the same", async () => {
    const gap = ["schedule", "next", "acme/twice", "-n", "1", "--at", first, "--from"];
    const spring = await ask(...gap, "2026-03-28T12:00:00Z");
    const autumn = await ask(...gap, "2026-10-24T12:00:00Z");
    const json = await ask(...gap, "2026-03-28T12:00:00Z", "-o", "json");

    expect(flat(spring.out)[1]).toBe(
      "2026-03-29T01:00:00Z | 2026-03-29 03:00:00 Europe/Vienna | acme/twice | default | 02:30 does not exist that day",
    );
    expect(flat(autumn.out)[1]).toMatch(/^2026-10-25T00:30:00Z .* first of two such times$/u);
    expect(JSON.parse(json.out)).toEqual([
      {
        ...{ tenant: "acme", dagId: "twice", schedule: "default", utc: "2026-03-29T01:00:00.000Z", blocked: null },
        ...{ local: "2026-03-29T03:00:00", zone: "Europe/Vienna", mark: { kind: "gap", named: "02:30" } },
      },
    ]);
  });

  it("reads a commit that is named as git names one, and the nearest names where there is none", async () => {
    const before = await ask("schedule", "next", "acme/nightly", "--at", "main~1", "-n", "1");
    const short = await ask("schedule", "next", "acme/nightly", "--at", first.slice(0, 10), "-n", "1");
    const lost = await ask("schedule", "next", "acme/nightly", "--at", "no-such-branch");
    const near = [await ask("schedule", "next", "acne"), await ask("schedule", "next", "acme/nightlx")];

    expect([before.exit, short.exit]).toEqual([0, 0]);
    expect(short.out).toBe(before.out);
    expect(lost.notes).toContain("REF_MISSING");
    expect(near.map(({ notes }) => notes).join()).toMatch(/did you mean acme\?[^]*did you mean nightly\?/u);
  });

  it("names a DAG that does not decode, and one that is not there", async () => {
    const all = await ask("schedule", "next", "--from", "2026-10-24");
    const none = await ask("schedule", "next", "acme/nobody");

    expect([all.exit, none.exit]).toEqual([1, 4]);
    expect(all.notes).toMatch(/not read: tenants\/beta\/dags\/broken\.yaml:\d+:\d+/u);
    expect(none.notes).toContain("DAG_NOT_FOUND");
  });
});

describe("orrery where", () => {
  it("finds every use and every grant of a plugin, with its place", async () => {
    const { exit, out, notes } = await ask("where", "plugin:core.log@1.0.0");

    expect(exit).toBe(0);
    expect(flat(out).slice(1)).toEqual([
      expect.stringMatching(
        /^tenants\/acme\/dags\/denied\.yaml:\d+:\d+ \| use \| acme\/denied call \| core\.log@1\.0\.0$/u,
      ),
      expect.stringMatching(
        /^tenants\/acme\/dags\/nightly\.yaml:\d+:\d+ \| use \| acme\/nightly hello \| core\.log@1\.0\.0$/u,
      ),
      expect.stringMatching(/^tenants\/acme\/dags\/twice\.yaml:/u),
      expect.stringMatching(/^tenants\/beta\/allowlist\.yaml:\d+:\d+ \| grant \| beta \| core\.\* 1\.x$/u),
    ]);
    expect(notes).toContain("tenants/beta/dags/broken.yaml");
  });

  it("finds an endpoint whatever its case, with or without port", async () => {
    const answers = await Promise.all(
      ["endpoint:collector.EXAMPLE", "endpoint:collector.example:443", "endpoint:collector.example:80"].map((what) =>
        ask("where", what, "-o", "json"),
      ),
    );

    const found = answers.map(({ out }) => (JSON.parse(out) as { what: string }[]).map(({ what }) => what).sort());
    expect(found).toEqual([["grant", "use"], ["grant", "use"], []]);
    expect(answers.map(({ exit }) => exit)).toEqual([0, 0, 1]);
  });

  it("no control character of a name that it refuses reaches the terminal", async () => {
    const odd = "\u001b]0;x\u0007\u202e";
    for (const argv of [
      ["where", odd],
      ["grants", odd],
      ["schedule", "next", odd],
      ["where", "plugin:core.log", "--at", odd],
    ])
      expect((await ask(...argv)).notes).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it("refuses what it cannot look for; exit 2", async () => {
    for (const what of ["core.log", "plugin:", "endpoint:a b", "secret:../x", "secret:A"])
      expect([what, (await ask("where", what)).exit]).toEqual([what, 2]);
  });
});

describe("orrery grants", () => {
  it("says what a tenant may do and which line says so", async () => {
    const { out, exit } = await ask("grants", "acme");

    expect(exit).toBe(0);
    expect(flat(out).slice(1, 3)).toEqual([
      "acme | endpoint | collector.example:443 | core.log | tenants/acme/allowlist.yaml:7",
      "acme | plugin | core.*@2.x | tenants/acme/allowlist.yaml:5",
    ]);
  });

  it("says who may change what, by the rule that decides, and which documents have a rule of their own", async () => {
    using home = scratchDir();
    const dir = exampleWorkTree(home);
    mkdirSync(join(dir, "keys"));
    const key = publicKeyLine(readPrivateKey(createKey(home.join("key"))).blob);
    const signers = ["ana@acme.example", "omar@hq.example", "sam@hq.example"];
    writeFileSync(join(dir, "keys/spec_signers"), signers.map((name) => `${name} namespaces="git" ${key}\n`).join(""));
    writeFileSync(join(dir, "orrery.yaml"), trustRules);

    const { out } = await orrery("grants", "acme", "--repo", dir, "-o", "json");
    const all = await orrery("grants", "--repo", dir);

    const changes = (JSON.parse(out) as Grant[]).filter(({ kind }) => kind === "change");
    expect(changes.map(({ what, to, approvals, line }) => [what, to.join(), approvals, line])).toEqual([
      ["tenants/acme/dags/*.yaml", "ana@acme.example", 0, 10],
      ["tenants/acme/dags/nightly-vex.yaml", "sam@hq.example", 2, 8],
      ["tenants/acme/tenant.yaml", "", 0, 7],
      ["tenants/acme/quota.yaml", "omar@hq.example", 1, 9],
      ["tenants/acme/allowlist.yaml", "", 0, 7],
      ["tenants/acme/slo.yaml", "", 0, 7],
      ["tenants/acme/files/**", "", 0, 7],
      ["tenants/acme/plugins/**", "", 0, 7],
      ["tenants/acme/secrets/*.age", "", 0, 7],
    ]);
    expect(flat(all.out)).toContain("- | change | orrery.yaml | sam@hq.example (2 approvals) | orrery.yaml:8");
    expect(flat(all.out)).toContain("acme | change | tenants/acme/slo.yaml | nobody | orrery.yaml:7");
  });

  it("says what was gained and lost between two commits; exit 1 where anything was", async () => {
    const { out, exit } = await ask("grants", "--diff", `${first}..main`);
    const same = await ask("grants", "--diff", "main..main");

    expect(exit).toBe(1);
    expect(
      flat(out)
        .slice(1)
        .map((line) => line.split(" | ").slice(0, 4).join(" ")),
    ).toEqual(["+ acme endpoint collector.example:443", "+ acme plugin core.*@2.x", "- acme plugin core.*@1.x"]);
    expect([same.exit, same.out]).toEqual([0, "no grant was gained or lost"]);
  });

  it("names the nearest tenant where there is none of that name", async () => {
    const { exit, notes } = await ask("grants", "acne");

    expect(exit).not.toBe(0);
    expect(notes).toContain("did you mean acme?");
  });
});

describe("orrery get dags --at", () => {
  it("lists what a commit wanted, by commit and by instant, and what it held; needs no daemon", async () => {
    const [then, now, byTime, tooEarly] = [
      await ask("get", "dags", "--at", first, "-o", "json"),
      await ask("get", "dags", "--at", "main", "-t", "acme"),
      await ask("get", "dags", "--at", "2099-01-01T00:00:00Z", "-o", "json"),
      await ask("get", "dags", "--at", "1999-01-01"),
    ];
    const parsed = JSON.parse(then.out) as {
      revision: string;
      dags: { tenant: string; dagId: string; state: string }[];
    };

    expect(parsed.revision).toBe(first);
    expect(parsed.dags.map(({ tenant, dagId, state }) => `${tenant}/${dagId} ${state}`)).toEqual([
      "acme/denied not armed",
      "acme/nightly armed",
      "acme/twice armed",
      "beta/broken held",
    ]);
    expect(
      flat(now.out)
        .slice(1)
        .map((line) => line.split(" | ").slice(0, 2).join(" ")),
    ).toEqual(["DAG STATE", "acme/denied not armed", "acme/nightly not armed", "acme/twice not armed"]);
    expect((JSON.parse(byTime.out) as { revision: string }).revision).toBe(world.spec.head);
    expect(tooEarly.exit).toBe(4);
  });
});
