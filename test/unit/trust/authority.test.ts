import { describe, expect, it } from "vitest";
import { type GroundsReader, readGrounds, type TrustPolicy } from "../../../src/trust/index.ts";
import { type FakeCommit, FakeHistory, keyLine, signersFile } from "./fake-history.ts";

const groups = { devs: ["ana@acme.example"], guards: ["sam@acme.example", "sif@acme.example"] };
const paths: TrustPolicy["paths"] = [
  { match: "tenants/acme/dags/**", by: "devs", approvals: 0 },
  { match: "tenants/*/{quota,allowlist}.yaml", by: "guards", approvals: 0 },
  { match: "{orrery.yaml,keys/**,sites/**}", by: "guards", approvals: 0 },
  { match: "docs/**", by: "everyone", approvals: 0 },
];
const signers = signersFile("ana", "bob", "sam", "sif");
const first = { signers, policy: { groups, paths }, files: { "docs/a.md": "a", "tenants/acme/quota.yaml": "q" } };

/** One commit on a branch with these rules, judged. */
function judged(commit: FakeCommit, policy: Partial<TrustPolicy> = {}) {
  const history = new FakeHistory();
  const root = history.commit({ by: "sam", tree: { ...first, policy: { groups, paths, ...policy } } });
  const head = history.commit(commit);
  return { root, head, walk: history.walk(root, head) };
}

const files = (...names: readonly string[]) => ({ files: Object.fromEntries(names.map((name) => [name, "new"])) });

describe("who may change what", () => {
  it.each<[string, FakeCommit]>([
    ["its group", { by: "ana", tree: files("tenants/acme/dags/x.yaml") }],
    ["another group elsewhere", { by: "sam", tree: files("tenants/acme/quota.yaml", "keys/more") }],
    ["everyone", { by: "bob", tree: files("docs/b/c.md") }],
    ["nobody at all, where nothing changes", { by: "bob" }],
  ])("is let in: %s", (_, commit) => {
    const { head, walk } = judged(commit);

    expect(walk).toMatchObject({ verified: { oid: head }, stalled: null });
  });

  it.each<[string, FakeCommit, RegExp]>([
    [
      "a path of another group, with its line",
      { by: "ana", tree: files("tenants/acme/quota.yaml") },
      /by ana@acme.example changes tenants\/acme\/quota.yaml; orrery.yaml:11 gives that to guards \(sam@acme.example, sif@/,
    ],
    ["a path that no rule matches", { by: "sam", tree: files("tenants/other/dags/x.yaml") }, /no rule of trust.paths/],
    ["one path of many", { by: "ana", tree: files("tenants/acme/dags/x.yaml", "keys/x") }, /changes keys\/x;/],
    ["a removal", { by: "ana", tree: { files: { "tenants/acme/quota.yaml": null } } }, /quota.yaml/],
    ["the rules themselves", { by: "ana", tree: { policy: { groups, paths: null } } }, /orrery.yaml/],
    ["the keys", { by: "ana", tree: { signers: signersFile("ana", "sam", "sif") } }, /keys\/spec_signers/],
    ["a file in the place of the folder", { by: "ana", tree: files("sites") }, /changes sites;/],
  ])("is refused: %s", (_, commit, message) => {
    const { root, head, walk } = judged(commit);

    expect(walk).toMatchObject({
      verified: { oid: root },
      stalled: { commit: head, code: "TRUST_AUTHORITY", message: expect.stringMatching(message) as string },
    });
  });

  it("the first rule that matches counts", () => {
    const rules: TrustPolicy["paths"] = [
      { match: "docs/secret/**", by: "guards", approvals: 0 },
      { match: "**", by: "everyone", approvals: 0 },
    ];

    expect(judged({ by: "bob", tree: files("docs/secret/a") }, { paths: rules }).walk.stalled?.code).toBe(
      "TRUST_AUTHORITY",
    );
    expect(judged({ by: "bob", tree: files("docs/open") }, { paths: rules }).walk.stalled).toBeNull();
  });

  it("a rule counts from the next commit on, for what it gives and for what it takes", () => {
    const history = new FakeHistory();
    const root = history.commit({ by: "sam", tree: first });
    const open = [...paths, { match: "open/**", by: "everyone", approvals: 0 }];
    history.commit({ by: "sam", tree: { policy: { groups, paths: open } } });
    const use = history.commit({ by: "bob", tree: files("open/x") });
    history.commit({ by: "sam", tree: { policy: { groups, paths } } });
    const late = history.commit({ by: "bob", tree: files("open/y") });

    const walk = history.walk(root, late);

    expect(walk.newly.map(({ oid }) => oid)).toContain(use);
    expect(walk.stalled).toMatchObject({ commit: late, code: "TRUST_AUTHORITY" });
  });

  it("under warn it is a warning, under none nothing", () => {
    const commit: FakeCommit = { by: null, tree: files("tenants/acme/quota.yaml") };

    expect(judged(commit, { commits: "warn" }).walk.newly[0]?.warnings.join()).toMatch(
      /TRUST_UNSIGNED.*TRUST_AUTHORITY/,
    );
    expect(judged(commit, { commits: "none" }).walk.newly[0]?.warnings).toEqual([]);
  });

  it("an orrery.yaml that does not decode stops its commit: a slip must not give the rules away", () => {
    const { root, walk } = judged({ by: "sam", tree: { policy: "orrery.yaml:3:1 unknown key" } });

    expect(walk).toMatchObject({
      verified: { oid: root },
      stalled: { code: "TRUST_RULE", message: expect.stringContaining("orrery.yaml:3:1") as string },
    });
  });

  it("and where it stood already, nobody may change anything", () => {
    const history = new FakeHistory();
    const root = history.commit({ by: "sam", tree: { signers, policy: "broken" } });
    const head = history.commit({ by: "sam", tree: { policy: { groups, paths } } });

    expect(history.walk(root, head).stalled?.code).toBe("TRUST_AUTHORITY");
  });
});

describe("a lock-out is refused", () => {
  it.each<[string, Partial<TrustPolicy>, RegExp]>([
    ["no rule for keys/", { paths: [{ match: "docs/**", by: "everyone", approvals: 0 }] }, /nobody|no rule/],
    [
      "a group that nobody belongs to",
      { groups: { devs: ["ghost@acme.example"], guards: groups.guards } },
      /:10 needs one/,
    ],
    [
      "more approvals than there are others",
      { paths: [{ match: "**", by: "guards", approvals: 2 }] },
      /:10 needs one to sign and 2 more to approve, of guards/,
    ],
  ])("%s", (_, policy, message) => {
    const { root, walk } = judged({ by: "sam", tree: { policy: { groups, paths, ...policy } } });

    expect(walk).toMatchObject({
      verified: { oid: root },
      stalled: { code: "TRUST_LOCKOUT", message: expect.stringMatching(message) as string },
    });
  });

  it("counts people, not keys: a second key of one person approves nothing of hers", () => {
    const two = `${signersFile("sam")}sam@acme.example ${keyLine("sam2")}\n`;
    const rules: TrustPolicy["paths"] = [{ match: "**", by: "everyone", approvals: 1 }];
    const { walk } = judged({ by: "sam", tree: { signers: two, policy: { groups: {}, paths: rules } } });

    expect(walk.stalled?.code).toBe("TRUST_LOCKOUT");
  });

  it.each<[string, string]>([
    ["counts from a later day", `sam@acme.example valid-after="20990101Z" ${keyLine("sam")}\n`],
    ["is found on another line first", `alias@acme.example ${keyLine("sam")}\nsam@acme.example ${keyLine("sam")}\n`],
  ])("counts nobody whose key %s", (_, signers) => {
    const own = { groups: { guards: ["sam@acme.example"] }, paths: [{ match: "**", by: "guards", approvals: 0 }] };
    const { walk } = judged({ by: "sam", tree: { signers, policy: own } });

    expect(walk.stalled?.code).toBe("TRUST_LOCKOUT");
  });

  it("counts no forge: it could not begin anything", () => {
    const { walk } = judged({
      by: "sam",
      tree: { signers: signersFile("sam"), policy: { forges: ["sam@acme.example"] } },
    });

    expect(walk.stalled?.code).toBe("TRUST_LOCKOUT");
  });

  it("counts nobody whose key may not approve", () => {
    const rules: TrustPolicy["paths"] = [{ match: "**", by: "everyone", approvals: 1 }];
    const gitOnly = ["sam", "sif"].map((name) => `${name}@acme.example namespaces="git" ${keyLine(name)}\n`).join("");
    const { walk } = judged({ by: "sam", tree: { signers: gitOnly, policy: { groups: {}, paths: rules } } });

    expect(walk.stalled?.code).toBe("TRUST_LOCKOUT");
  });
});

describe("what a tree says", () => {
  it("is read again only where something of it is another: three hundred keys cost a branch once", () => {
    const own: TrustPolicy = { commits: "require", merges: "firstParent", groups, paths: null, forges: [] };
    const policy = { kind: "policy", policy: own, ruleLines: [] } as const;
    const none: readonly Uint8Array[] = [];
    let signersText = signersFile("sam", "sif");
    const reader: GroundsReader = {
      readSigners: () => signersText,
      readPolicy: (tree) => (tree === "none" ? null : policy),
      recorderKeys: () => none,
    };
    const first = readGrounds(reader, "a");
    const same = readGrounds(reader, "b", first);
    const other = readGrounds(reader, "none", first);
    signersText = signersFile("sam");
    const fewer = readGrounds(reader, "c", first);

    expect(same).toBe(first);
    expect([other.people === first.people, other.policy.groups]).toEqual([true, {}]);
    expect([fewer.allowed.signers.length, fewer.people.size]).toEqual([1, 1]);
  });
});

describe("dates", () => {
  const expired = `ana@acme.example valid-before="20261124000100Z" ${keyLine("ana")}\n`;
  const history = () => {
    const made = new FakeHistory();
    const root = made.commit({ by: "sam", tree: { signers: signersFile("sam", "sif") + expired } });
    return { made, root };
  };

  it("a key that had expired at the parent signs nothing more, whatever date the commit bears", () => {
    const { made, root } = history();
    const at = Date.parse("2026-11-24T00:03:00Z") / 1000;
    const late = made.commit({ by: "sam", seconds: at });
    const backdated = made.commit({ by: "ana", seconds: at - 170 });

    expect(made.walk(root, backdated)).toMatchObject({
      verified: { oid: late },
      stalled: { commit: backdated, code: "TRUST_UNKNOWN_KEY" },
    });
  });

  it("nor is a commit taken that is dated far before its parent", () => {
    const { made, root } = history();
    made.commit({ by: "sam", seconds: Date.parse("2026-11-24T01:00:00Z") / 1000 });
    const backdated = made.commit({ by: "sif", seconds: Date.parse("2026-11-24T00:00:30Z") / 1000 });

    expect(made.walk(root, backdated).stalled?.code).toBe("TRUST_CLOCK");
  });

  it("a key removed in the same push signs nothing after, and a key added there signs only after", () => {
    const { made, root } = history();
    const removed = made.commit({ by: "sam", tree: { signers: signersFile("sam", "cid") } });
    const rotated = made.commit({ by: "cid", tree: files("docs/x") });
    const old = made.commit({ by: "ana", parents: [rotated] });

    expect(made.walk(root, old)).toMatchObject({ verified: { oid: rotated }, stalled: { commit: old } });
    expect(made.walk(removed, rotated).verified?.oid).toBe(rotated);
  });
});
