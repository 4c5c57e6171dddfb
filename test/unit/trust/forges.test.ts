import { describe, expect, it } from "vitest";
import type { TrustPolicy } from "../../../src/trust/index.ts";
import { approve, type FakeCommit, FakeHistory, keyLine, planOf, signersFile, start } from "./fake-history.ts";

const groups = { devs: ["ana@acme.example", "bob@acme.example"] };
const paths: TrustPolicy["paths"] = [
  { match: "dags/**", by: "devs", approvals: 0 },
  { match: "quota/**", by: "devs", approvals: 1 },
  { match: "docs/**", by: "everyone", approvals: 0 },
  { match: "{keys/**,orrery.yaml}", by: "devs", approvals: 0 },
];
const files = (changes: Readonly<Record<string, string | null>>) => ({ files: changes });

function setup(more: Partial<TrustPolicy> = {}) {
  const history = new FakeHistory();
  const policy = { groups, paths, forges: ["forge@acme.example"], ...more };
  const signers = signersFile("ana", "bob", "cid", "forge");
  const documents = files({ "docs/a": "1", "docs/b": "1", "dags/x": "1" });
  return { history, root: history.commit({ by: "ana", tree: { signers, policy, ...documents } }) };
}

/** A branch and main that both went on; the forge merges with this tree. */
function merged(side: FakeCommit, main: FakeCommit["tree"], tree: FakeCommit["tree"]) {
  const { history, root } = setup();
  const branch = history.commit({ parents: [root], ...side });
  const base = history.commit({ by: "ana", parents: [root], ...(main === undefined ? {} : { tree: main }) });
  const head = history.commit({ by: "forge", parents: [base, branch], ...(tree === undefined ? {} : { tree }) });
  return { history, root, base, branch, head, walk: history.walk(root, head) };
}

describe("a merge signed by a forge", () => {
  it("stands when it is the clean merge of commits that are signed and authorised", () => {
    const { head, walk } = merged(
      { by: "ana", tree: files({ "dags/x": "2", "docs/new": "1" }) },
      files({ "docs/a": "2" }),
      files({ "dags/x": "2", "docs/new": "1" }),
    );

    expect(walk).toMatchObject({ verified: { oid: head }, stalled: null });
  });

  it("takes an approval as the merge of a person does", () => {
    const made = merged({ by: "ana", tree: files({ "quota/a": "1" }) }, undefined, files({ "quota/a": "1" }));
    const { history, root, branch, head } = made;
    expect(made.walk.stalled?.code).toBe("APPROVALS_MISSING");

    approve(history, "bob", { base: root, head: branch, planHash: planOf(history, root, branch) });

    expect(history.walk(root, head).stalled).toBeNull();
  });

  interface Wrong {
    readonly by?: string | null;
    /** What the side, main and the merge's own tree change. */
    readonly side: Readonly<Record<string, string>>;
    readonly main?: Readonly<Record<string, string>>;
    readonly tree: Readonly<Record<string, string>>;
    readonly code: string;
  }
  const n = { "docs/n": "1" };

  it.each<[string, Wrong]>([
    ["a commit on the side is unsigned", { by: null, side: n, tree: n, code: "TRUST_UNSIGNED" }],
    ["its author may not", { by: "cid", side: { "dags/x": "2" }, tree: { "dags/x": "2" }, code: "TRUST_AUTHORITY" }],
    ["it adds something of its own", { side: n, tree: { ...n, "docs/evil": "1" }, code: "TRUST_FORGE" }],
    ["it changes what the side brought", { side: n, tree: { "docs/n": "2" }, code: "TRUST_FORGE" }],
    ["it drops what the side brought", { side: { ...n, "docs/m": "1" }, tree: n, code: "TRUST_FORGE" }],
    ["it undoes main", { side: n, main: { "docs/a": "2" }, tree: { ...n, "docs/a": "1" }, code: "TRUST_FORGE" }],
    [
      "both sides changed one file",
      { side: { "docs/a": "3" }, main: { "docs/a": "2" }, tree: { "docs/a": "3" }, code: "TRUST_FORGE" },
    ],
  ])("is refused when %s", (_, { by = "ana", side, main = {}, tree, code }) => {
    const { base, walk } = merged({ by, tree: files(side) }, files(main), files(tree));

    expect(walk).toMatchObject({ verified: { oid: base }, stalled: { code } });
  });

  it("is refused where a commit of the forge's own key stands on the side", () => {
    const { walk } = merged({ by: "forge", tree: files({ "docs/n": "1" }) }, undefined, files({ "docs/n": "1" }));

    expect(walk.stalled?.code).toBe("TRUST_FORGE");
  });

  it("follows a branch that merged main itself on the way", () => {
    const { history, root } = setup();
    const one = history.commit({ by: "bob", parents: [root], tree: files({ "dags/x": "2" }) });
    const main = history.commit({ by: "ana", parents: [root], tree: files({ "docs/a": "2", "quota/z": null }) });
    const caughtUp = history.commit({ by: "bob", parents: [one, main], tree: files({ "docs/a": "2" }) });
    const more = history.commit({ by: "bob", parents: [caughtUp], tree: files({ "dags/y": "1" }) });
    const head = history.commit({
      ...{ by: "forge", parents: [main, more] },
      tree: files({ "dags/x": "2", "dags/y": "1" }),
    });

    expect(history.walk(root, head)).toMatchObject({ verified: { oid: head }, stalled: null });
  });
});

describe("a squash signed by a forge", () => {
  function squashed(change: Readonly<Record<string, string>>, more: Partial<TrustPolicy> = {}) {
    const { history, root } = setup(more);
    const branch = history.commit({ by: "ana", tree: files(change) });
    const head = history.commit({ by: "forge", author: "ana", parents: [root], tree: files(change) });
    const plan = { base: root, head: branch, planHash: planOf(history, root, branch) };
    return { history, root, head, plan, walk: () => history.walk(root, head).stalled };
  }

  it("waits for the plan's approval, which may be its author's where the rule asks for none", () => {
    const { history, plan, walk } = squashed({ "dags/x": "2" });
    expect(walk()?.code).toBe("APPROVALS_MISSING");

    approve(history, "ana", plan);

    expect(walk()).toBeNull();
  });

  it("needs one more than the rule asks for: somebody stands for the signer", () => {
    const { history, plan, walk } = squashed({ "quota/a": "1" });
    approve(history, "bob", plan);
    expect(walk()?.message).toContain("1 of 2 approvals");

    approve(history, "ana", plan);

    expect(walk()).toBeNull();
  });

  it("is not let in by who may not change that, nor by the author alone where others must approve", () => {
    const dags = squashed({ "dags/x": "2" });
    approve(dags.history, "cid", dags.plan);
    const quota = squashed({ "quota/a": "1" });
    approve(quota.history, "ana", quota.plan);

    expect([dags.walk()?.code, quota.walk()?.code]).toEqual(["APPROVALS_MISSING", "APPROVALS_MISSING"]);
  });

  it("needs an approval where there are no rules at all, and its own key gives none", () => {
    const { history, plan, walk } = squashed({ anything: "1" }, { paths: null });
    approve(history, "forge", plan);
    expect(walk()?.code).toBe("APPROVALS_MISSING");

    approve(history, "cid", plan);

    expect(walk()).toBeNull();
  });
});

describe("a forge's key is a forge's", () => {
  it.each<[string, string, string]>([
    ["written in other letters", "Forge@ACME.example", `forge@acme.example ${keyLine("forge")}\n`],
    [
      "on a second line, under another name, where its own is for nothing",
      "forge@acme.example",
      `forge@acme.example namespaces="file" ${keyLine("forge")}\nbot@acme.example ${keyLine("forge")}\n`,
    ],
  ])("%s", (_, forge, lines) => {
    const history = new FakeHistory();
    const tree = { signers: signersFile("ana") + lines, policy: { forges: [forge] } };
    const root = history.commit({ by: "ana", tree });
    const head = history.commit({ by: "forge", tree: files({ anything: "1" }) });

    expect(history.walk(root, head).stalled?.code).toBe("APPROVALS_MISSING");
  });
});

it("a forge signs no first commit", () => {
  const history = new FakeHistory();
  const policy = { forges: ["forge@acme.example"] };
  const head = history.commit({ by: "forge", tree: { signers: signersFile("ana", "forge"), policy } });

  expect(history.walk(null, head).stalled?.message).toContain("signed by a forge");
});

describe("merges: all", () => {
  const all = { merges: "all" as const };
  const person = (side: FakeCommit, tree: FakeCommit["tree"]) => {
    const { history, root } = setup(all);
    const branch = history.commit({ parents: [root], ...side });
    const base = history.commit({ by: "ana", parents: [root], tree: files({ "docs/a": "2" }) });
    const head = history.commit({ by: "cid", parents: [base, branch], ...(tree === undefined ? {} : { tree }) });
    return history.walk(root, head).stalled;
  };

  it("the merger answers for nothing that its commits answer for themselves", () => {
    expect(person({ by: "ana", tree: files({ "dags/x": "2" }) }, files({ "dags/x": "2" }))).toBeNull();
  });

  it("but for what he adds to it, as for any commit", () => {
    const side: FakeCommit = { by: "ana", tree: files({ "dags/x": "2" }) };

    expect(person(side, files({ "dags/x": "2", "docs/more": "1" }))).toBeNull();
    expect(person(side, files({ "dags/x": "3" }))?.code).toBe("TRUST_AUTHORITY");
  });
});

describe("where committer times run backwards", () => {
  /** Main raised dags/x and took it back, in a commit dated before that; the branch left in between. */
  function undone(by: string) {
    const { history, root } = setup({ merges: "all" });
    const at = (seconds: number) => ({ seconds: start + seconds });
    const raised = history.commit({ by: "ana", parents: [root], tree: files({ "dags/x": "2" }), ...at(500) });
    const back = history.commit({ by: "ana", parents: [raised], tree: files({ "dags/x": "1" }), ...at(300) });
    const other = history.commit({ by: "ana", parents: [root], tree: files({ "docs/b": "2" }), ...at(900) });
    const both = files({ "docs/b": "2" });
    const main = history.commit({ by: "ana", parents: [back, other], tree: both, ...at(1000) });
    const branch = history.commit({ by: "cid", parents: [raised], tree: files({ "docs/n": "1" }), ...at(800) });
    const tree = files({ "docs/n": "1", "dags/x": "2" });
    const head = history.commit({ by, parents: [main, branch], tree, ...at(1100) });
    return history.walk(root, head);
  }

  it.each([
    ["a merger", "cid", "TRUST_AUTHORITY"],
    ["a forge", "forge", "TRUST_FORGE"],
  ])("%s does not bring back what was taken back", (_, by, code) => {
    expect(undone(by).stalled?.code).toBe(code);
  });
});

describe("a web edit by a forge", () => {
  it("does not stand on an approval of the range around it, at whose end it is taken back", () => {
    const { history, root } = setup();
    const edit = history.commit({ by: "forge", tree: files({ "dags/x": "evil" }) });
    const back = history.commit({ by: "ana", tree: files({ "dags/x": "1", "docs/a": "2" }) });
    for (const by of ["ana", "bob", "cid"])
      approve(history, by, { base: root, head: back, planHash: planOf(history, root, back) });

    expect(history.walk(root, back)).toMatchObject({
      verified: { oid: root },
      stalled: { commit: edit, code: "APPROVALS_MISSING" },
    });
  });
});

describe("an unsigned commit of a forge's button", () => {
  it.each<[string, Partial<FakeCommit>]>([
    ["merge", { parents: ["c000000000000000000000000000000000000001", "c000000000000000000000000000000000000002"] }],
    ["squash", { committer: "noreply" }],
  ])("is told what to set: %s", (_, how) => {
    const { history, root } = setup();
    const side = history.commit({ by: "ana", parents: [root] });
    const parents = how.parents === undefined ? [root] : [root, side];
    const head = history.commit({ by: null, ...how, parents });

    expect(history.walk(root, head).stalled).toMatchObject({
      code: "TRUST_UNSIGNED",
      message: expect.stringContaining("spec.trust.forges of orrery.yaml") as string,
    });
  });
});
