import { describe, expect, it } from "vitest";
import type { PlanReport } from "../../../src/plan/index.ts";
import { createPrivateKeyFile } from "../../../src/signer/index.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import { nobodysEnvironment, openHome, orrery, shell } from "./cli-fixture.ts";

type PlanJson = Omit<PlanReport, "to"> & { readonly planHash: string | null };

const rules = `apiVersion: orrery/v1
kind: Repository
spec:
  trust:
    groups: { guards: [ana@acme.example, sif@acme.example] }
    paths:
      - { match: "tenants/*/{quota,allowlist}.yaml", by: guards, approvals: 1 }
      - { match: "**", by: everyone }
`;
const allowlist = `apiVersion: orrery/v1
kind: Allowlist
spec:
  plugins: [{ name: "core.*", versions: ["1.x"] }]
  secrets: [{ name: notify_token, for: ["notify.*"] }]
`;

/** A site by init whose quota and allowlists want an approval, with a second guard; nothing runs. */
async function setup() {
  const home = openHome();
  const environment = nobodysEnvironment(home);
  const specs = home.join("specs.git");
  const { out } = await orrery("init", specs, "--data", home.join("data"), "--key", home.key);
  const lines = out.split("\n");
  const clone = lines.slice(lines.findIndex((line) => line.startsWith("And a clone")) + 1);
  shell(home.path, clone, { HOME: home.path });
  const push = (script: string): void => {
    const commit = "git add -A && git commit -q -S -m change && git push -q origin main";
    shell(home.join("specs-work"), [script, commit], { HOME: home.path });
  };
  const sif = home.join("sif_key");
  createPrivateKeyFile(sif, "sif@acme.example");
  push(`cat > orrery.yaml <<'EOF'\n${rules}EOF
sed -i 's/namespaces="[^"]*" //' keys/spec_signers
printf 'sif@acme.example %s\\n' "$(ssh-keygen -y -f ${sif})" >> keys/spec_signers`);
  return {
    ...{ home, push, sif, specs },
    plan: (...more: string[]) => orrery("plan", "main^..main", "--repo", specs, ...more),
    json: async (...more: string[]) =>
      JSON.parse((await orrery("plan", "main^..main", "--repo", specs, "-o", "json", ...more)).out) as PlanJson,
    [Symbol.dispose]: () => {
      environment[Symbol.dispose]();
      home[Symbol.dispose]();
    },
  };
}

describe("orrery plan says whose change it may be", () => {
  it("names the approval that is missing and its plan hash; what approve signs is that hash, and then it is there", async () => {
    using site = await setup();
    site.push(`cat > tenants/example/allowlist.yaml <<'EOF'\n${allowlist}EOF`);

    const before = await site.json();
    const waiting = await site.plan();
    const approved = await orrery(
      ...["approve", "main", "--base", "main^", "-m", "looked at it", "--key", site.sif, "--repo", site.specs],
      ...["-o", "json"],
    );
    const after = await site.json();
    const text = await site.plan();

    const path = "tenants/example/allowlist.yaml";
    expect(before.authority?.demands).toMatchObject([
      {
        rule: { match: "tenants/*/{quota,allowlist}.yaml", by: "guards", line: 7 },
        ...{ paths: [path], wanted: 1, approvedBy: [], isApproved: false, mayApprove: ["sif@acme.example"] },
        signedBy: [{ principal: "ana@acme.example", may: true }],
      },
    ]);
    expect(before).toMatchObject({ stalled: { code: "APPROVALS_MISSING" } });
    expect([waiting.exit, text.exit]).toEqual([5, 1]);
    expect(waiting.out).toContain("approvals: 0 of 1 there; may approve: sif@acme.example");
    expect(waiting.notes).toContain("git fetch origin '+refs/orrery/approvals/*:refs/orrery/approvals/*'");
    expect(JSON.parse(approved.out)).toMatchObject({ planHash: before.planHash });
    expect(after.authority?.demands).toMatchObject([
      { isApproved: true, approvedBy: [{ approver: "sif@acme.example", planHash: before.planHash }] },
    ]);
    expect(after.stalled).toBeNull();
    expect(text.out).toContain(`  ok ${path}`);
    expect(text.out).toContain(before.planHash);
    expect(text.notes).not.toContain("no approval is here");
  });

  it("names secrets, keys and members that are gained and lost", async () => {
    using site = await setup();
    site.push(`cat > tenants/example/allowlist.yaml <<'EOF'\n${allowlist}EOF
sed -i 's/, sif@acme.example\\]/]/; s/^.*quota,allowlist.*$//' orrery.yaml`);

    const { tenants, authority } = await site.json();
    const { out } = await site.plan("-o", "markdown");

    expect(tenants[0]?.grants.gained).toContain("secret notify_token for notify.*");
    expect(authority?.people).toEqual({
      gained: [],
      lost: ["sif@acme.example in guards", "tenants/*/{quota,allowlist}.yaml by guards, 1 approval"],
    });
    expect(out).toContain("- may now: `secret notify_token for notify.*`");
    expect(out).toContain("- may no longer: `sif@acme.example in guards`");
  });

  it("gives the same bytes on another machine that has the commits and the approvals", async () => {
    using site = await setup();
    site.push(`cat > tenants/example/allowlist.yaml <<'EOF'\n${allowlist}EOF`);
    await orrery("approve", "main", "--base", "main^", "-m", "yes", "--key", site.sif, "--repo", site.specs);
    const elsewhere = site.home.join("elsewhere.git");
    stockGit(site.home.path, ["clone", "-q", "--bare", site.specs, elsewhere]);
    stockGit(elsewhere, ["fetch", "-q", site.specs, "+refs/orrery/approvals/*:refs/orrery/approvals/*"]);

    for (const output of ["text", "json", "markdown"]) {
      const there = await orrery("plan", "main^..main", "--repo", elsewhere, "-o", output);
      const here = await site.plan("-o", output);
      expect(there.out).toBe(here.out);
      expect(here.out).toContain("sif@acme.example");
    }
  });
});

describe("orrery plan FROM..TO", () => {
  it("is for no site unless one is named, by --data or by ORRERY_DATA", async () => {
    using site = await setup();
    site.push("cp -r tenants/example tenants/other && sed -i 's/\\[.*\\*.*\\]/[example]/' sites/*.yaml");
    const planned = ({ tenants, site: name }: PlanJson) => [name, tenants.map(({ tenant }) => tenant)];

    const nobodys = await site.plan();
    const unnamed = await site.json();
    const flag = await site.json("--data", site.home.join("data"));
    const named = await site.plan("--data", site.home.join("data"));
    using _ = nobodysEnvironment(site.home, { ORRERY_DATA: site.home.join("data") });
    const exported = await site.json();

    expect(planned(unnamed)).toEqual([null, ["example", "other"]]);
    expect(nobodys.notes).toContain("planned for every tenant of the repository; --data DIR plans for one site");
    expect(planned(flag)).toEqual(["local", ["example"]]);
    expect(planned(exported)).toEqual(["local", ["example"]]);
    expect(named.notes).not.toContain("every tenant");
  });

  it("asks no daemon where none runs, and says so in every form", async () => {
    using site = await setup();
    site.push("sed -i 's/hello from/good day from/' tenants/example/dags/hello.yaml");

    const { tenants } = await site.json();

    expect(tenants[0]?.dags[0]).toMatchObject({ dagId: "hello", runs: null });
    expect((await site.plan()).out).toContain("runs under way: not known, no daemon was asked");
  });
});
