import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import type { StoredApproval, TrustPolicy } from "../../../src/trust/index.ts";
import { approve, type FakeCommit, FakeHistory, keyLine, oidOf, planOf, signersFile } from "./fake-history.ts";

const groups = { guards: ["sam@acme.example", "sif@acme.example", "sol@acme.example"] };
const paths: TrustPolicy["paths"] = [
  { match: "quota/**", by: "guards", approvals: 1 },
  { match: "**", by: "everyone", approvals: 0 },
];
const first = { signers: signersFile("ana", "sam", "sif", "sol"), policy: { groups, paths } };
const quota = (text: string | null, name = "a") => ({ files: { [`quota/${name}`]: text } });

function setup(more: Partial<TrustPolicy> = {}) {
  const history = new FakeHistory();
  const root = history.commit({ by: "sam", tree: { ...first, policy: { groups, paths, ...more } } });
  return { history, root };
}

/** A commit of sam's that changes a quota, on the root. */
function changed(commit: Partial<FakeCommit> = {}) {
  const { history, root } = setup();
  const head = history.commit({ by: "sam", tree: quota("1"), ...commit });
  return { history, root, head, plan: planOf(history, root, head) };
}

describe("a commit that needs approval", () => {
  it("waits without one, naming the rule and who may approve", () => {
    const { history, root, head } = changed();

    expect(history.walk(root, head)).toMatchObject({
      verified: { oid: root },
      stalled: {
        commit: head,
        code: "APPROVALS_MISSING",
        message: expect.stringMatching(/changes quota\/a; orrery.yaml:10 wants 1 of guards \(sam@.*0 of 1/) as string,
      },
    });
  });

  it("stands with one of another in the group, which is told with key, plan and blob", () => {
    const { history, root, head, plan } = changed();
    const { sha256 } = approve(history, "sif", { base: root, head, planHash: plan });

    expect(history.walk(root, head)).toMatchObject({
      verified: { oid: head },
      newly: [{ approvals: [{ head, planHash: plan, approver: "sif@acme.example", sha256 }] }],
    });
    expect(history.walk(root, head).newly[0]?.approvals[0]?.key).toMatch(/^SHA256:/);
  });

  it("asks for none where it touches nothing of the rule", () => {
    const { history, root } = setup();
    const head = history.commit({ by: "ana", tree: { files: { "docs/a": "1" } } });

    expect(history.walk(root, head).newly[0]?.approvals).toEqual([]);
  });

  it("stops where somebody of the group rejected it, with the reason, whoever else approved", () => {
    const { history, root, head, plan } = changed();
    approve(history, "sif", { base: root, head, planHash: plan });
    approve(history, "sol", { base: root, head, planHash: plan, verdict: "reject", reason: "too much" });

    expect(history.walk(root, head).stalled).toMatchObject({
      code: "APPROVALS_MISSING",
      message: expect.stringContaining("sol@acme.example rejected it: too much") as string,
    });
  });

  it("is not stopped by the rejection of somebody outside of the group", () => {
    const { history, root, head, plan } = changed();
    approve(history, "sif", { base: root, head, planHash: plan });
    approve(history, "ana", { base: root, head, planHash: plan, verdict: "reject" });

    expect(history.walk(root, head).stalled).toBeNull();
  });

  it("two approvals are two people", () => {
    const { history, root } = setup({ paths: [{ match: "**", by: "guards", approvals: 2 }] });
    const head = history.commit({ by: "sam", tree: quota("1") });
    const planHash = planOf(history, root, head);
    approve(history, "sif", { base: root, head, planHash });
    approve(history, "sif", { base: root, head, planHash, reason: "again" });

    expect(history.walk(root, head).stalled?.message).toContain("1 of 2 approvals");

    approve(history, "sol", { base: root, head, planHash });
    expect(history.walk(root, head).stalled).toBeNull();
  });
});

describe("an approval counts for", () => {
  it("every commit of base..head once head is there, and for none before", () => {
    const { history, root } = setup();
    const one = history.commit({ by: "sam", tree: quota("1") });
    const two = history.commit({ by: "sol", tree: quota("2") });
    approve(history, "sif", { base: root, head: two, planHash: planOf(history, root, two) });

    expect(history.walk(root, one).stalled?.code).toBe("APPROVALS_MISSING");
    expect(history.walk(root, two)).toMatchObject({ verified: { oid: two }, stalled: null });
  });

  it("the squash of its branch, whose head never lands", () => {
    const { history, root } = setup();
    const head = history.commit({ by: "sam", tree: quota("1") });
    approve(history, "sif", { base: root, head, planHash: planOf(history, root, head) });
    const main = history.commit({ by: "ana", parents: [root], tree: { files: { "docs/a": "1" } } });
    const squash = history.commit({ by: "sol", parents: [main], tree: quota("1") });

    expect(history.walk(root, squash)).toMatchObject({ verified: { oid: squash }, stalled: null });
  });

  it("the merge of its branch", () => {
    const { history, root } = setup();
    const head = history.commit({ by: "sam", tree: quota("1") });
    approve(history, "sif", { base: root, head, planHash: planOf(history, root, head) });
    const main = history.commit({ by: "ana", parents: [root], tree: { files: { "docs/a": "1" } } });
    const merge = history.commit({ by: "sol", parents: [main, head], tree: quota("1") });

    expect(history.walk(root, merge)).toMatchObject({ verified: { oid: merge }, stalled: null });
  });

  it("one commit: what was reverted and comes again needs another", () => {
    const { history, root, head, plan } = changed();
    approve(history, "sif", { base: root, head, planHash: plan });
    const gone = history.commit({ by: "sam", tree: quota(null) });
    approve(history, "sif", { base: head, head: gone, planHash: planOf(history, head, gone) });
    const again = history.commit({ by: "sam", tree: quota("1") });

    expect(history.walk(root, again)).toMatchObject({ verified: { oid: gone }, stalled: { commit: again } });
    expect(history.walk(gone, again)).toMatchObject({ stalled: { commit: again, code: "APPROVALS_MISSING" } });
  });

  it("the first of two commits that make its change", () => {
    const { history, root } = setup();
    const side = history.commit({ by: "sam", tree: quota("1") });
    approve(history, "sif", { base: root, head: side, planHash: planOf(history, root, side) });
    const squash = history.commit({ by: "sam", parents: [root], tree: quota("1") });
    const undo = history.commit({ by: "sam", tree: quota(null) });
    approve(history, "sif", { base: squash, head: undo, planHash: planOf(history, squash, undo) });
    const again = history.commit({ by: "sam", tree: quota("1") });

    expect(history.walk(root, again)).toMatchObject({ verified: { oid: undo }, stalled: { commit: again } });
  });
});

describe("an attacker does not get in with", () => {
  const refusedWith = ({ history, root, head }: ReturnType<typeof changed>, has = "0 of 1") =>
    expect(history.walk(root, head)).toMatchObject({
      verified: { oid: root },
      stalled: { code: "APPROVALS_MISSING", message: expect.stringContaining(has) as string },
    });

  it("an approval of his own, as signer", () => {
    const made = changed();
    approve(made.history, "sam", { base: made.root, head: made.head, planHash: made.plan });

    refusedWith(made, "an author's own does not count");
  });

  it.each<[string, Partial<FakeCommit>]>([
    ["author", { by: "sam", author: "sif" }],
    ["committer", { by: "sam", committer: "sif" }],
  ])("an approval of his own, as %s whose commit another signed", (_, commit) => {
    const made = changed(commit);
    approve(made.history, "sif", { base: made.root, head: made.head, planHash: made.plan });

    refusedWith(made);
  });

  it("an approval by a second key of his", () => {
    const history = new FakeHistory();
    const two = `${signersFile("sam", "sif", "sol")}sam@acme.example ${keyLine("sam2")}\n`;
    const root = history.commit({ by: "sam", tree: { ...first, signers: two } });
    const head = history.commit({ by: "sam", tree: quota("1") });
    approve(history, "sam2", { base: root, head, planHash: planOf(history, root, head) });

    expect(history.walk(root, head).stalled?.code).toBe("APPROVALS_MISSING");
  });

  it("an approval by the key that signed, under another name for approvals", () => {
    const history = new FakeHistory();
    const twoNames =
      `${signersFile("sif", "sol")}sam@acme.example namespaces="git" ${keyLine("sam")}\n` +
      `other@acme.example namespaces="orrery-approval" ${keyLine("sam")}\n`;
    const policy = { groups: { guards: [...groups.guards, "other@acme.example"] }, paths };
    const root = history.commit({ by: "sam", tree: { signers: twoNames, policy } });
    const head = history.commit({ by: "sam", tree: quota("1") });
    approve(history, "sam", { base: root, head, planHash: planOf(history, root, head) });

    expect(history.walk(root, head).stalled?.code).toBe("APPROVALS_MISSING");
  });

  it("an approval by a key of patterns that the author's name fits", () => {
    const { history } = setup();
    const rules: TrustPolicy["paths"] = [{ match: "**", by: "everyone", approvals: 1 }];
    const signers = `${signersFile("sam", "sol")}*@acme.example ${keyLine("sif")}\n`;
    const root = history.commit({ by: "sam", tree: { signers, policy: { groups: {}, paths: rules } } });
    const head = history.commit({ by: "sam", author: "sif", tree: quota("1") });
    approve(history, "sif", { base: root, head, planHash: planOf(history, root, head) });

    expect(history.walk(root, head).stalled?.code).toBe("APPROVALS_MISSING");
  });

  it("an approval by who wrote one commit of the range", () => {
    const { history, root } = setup();
    history.commit({ by: "sif", tree: quota("0", "b") });
    const head = history.commit({ by: "sam", tree: quota("1") });
    approve(history, "sif", { base: root, head, planHash: planOf(history, root, head) });

    expect(history.walk(root, head).stalled?.code).toBe("APPROVALS_MISSING");
  });

  it("an approval by who wrote what a merge brings in", () => {
    const { history, root } = setup();
    const side = history.commit({ by: "sif", tree: quota("1") });
    const main = history.commit({ by: "ana", parents: [root], tree: { files: { "docs/a": "1" } } });
    const merge = history.commit({ by: "sam", parents: [main, side], tree: quota("1") });
    approve(history, "sif", { base: root, head: side, planHash: planOf(history, root, side) });

    expect(history.walk(root, merge).stalled?.code).toBe("APPROVALS_MISSING");
  });

  it("an approval of another plan, under the head's own name", () => {
    const made = changed();
    const other = made.history.commit({ by: "sam", parents: [made.root], tree: quota("2") });
    const planHash = planOf(made.history, made.root, other);
    approve(made.history, "sif", { base: made.root, head: made.head, planHash });

    refusedWith(made);
  });

  it("an approval from before base", () => {
    const made = changed();
    const base = made.history.commit({ by: "sam", parents: [made.head], tree: quota(null) });
    const head = made.history.commit({ by: "sam", parents: [base], tree: quota("1") });
    approve(made.history, "sif", { base, head, planHash: planOf(made.history, base, head) });

    refusedWith(made);
  });

  it("an approval whose base is on no first-parent line of the branch", () => {
    const made = changed();
    const stranger = made.history.commit({ by: "ana", parents: [made.root], tree: { files: { "docs/x": "1" } } });
    approve(made.history, "sif", { base: stranger, head: made.head, planHash: made.plan });

    refusedWith(made);
  });

  it.each<[string, string, string]>([
    ["of somebody outside of the group", "ana", "orrery-approval"],
    ["of a stranger's key", "eve", "orrery-approval"],
    ["signed for another namespace", "sif", "git"],
  ])("an approval %s", (_, by, namespace) => {
    const made = changed();
    approve(made.history, by, { base: made.root, head: made.head, planHash: made.plan }, namespace);

    refusedWith(made);
  });

  it("an approval by a key that the branch itself brings in", () => {
    const { history, root } = setup();
    const policy = { groups: { guards: [...groups.guards, "eve@acme.example"] }, paths };
    const head = history.commit({
      by: "sam",
      tree: { ...quota("1"), signers: signersFile("ana", "sam", "sif", "sol", "eve"), policy },
    });
    approve(history, "eve", { base: root, head, planHash: planOf(history, root, head) });

    expect(history.walk(root, head).stalled?.code).toBe("APPROVALS_MISSING");
  });

  it.each<[string, (good: StoredApproval) => StoredApproval]>([
    ["a byte is changed", (good) => ({ ...good, bytes: flipped(good.bytes!, 20) })],
    ["a byte of the signature is changed", (good) => ({ ...good, bytes: flipped(good.bytes!, -40) })],
    ["the name is another blob's", (good) => ({ ...good, sha256: "0".repeat(64) })],
    ["the name is another head's", (good) => ({ ...good, head: oidOf(1) })],
    ["there is no blob", (good) => ({ ...good, bytes: null })],
    ["it is empty", (good) => named(good, "")],
    ["it is garbage", (good) => named(good, "\u0000\u0001{}\n")],
    ["it is huge", (good) => named(good, Buffer.from(good.bytes!).toString() + " ".repeat(40_000))],
    ["it is a bomb of brackets", (good) => named(good, `${"[".repeat(30_000)}\nx`)],
    ["a member more stands in it", (good) => named(good, `{"a":1,${Buffer.from(good.bytes!).toString().slice(1)}`)],
  ])("a stored approval of which %s", (_, spoil) => {
    const made = changed();
    const good = approve(made.history, "sif", { base: made.root, head: made.head, planHash: made.plan });
    expect(made.history.walk(made.root, made.head).stalled).toBeNull();

    made.history.approvals[0] = spoil(good);

    refusedWith(made);
  });

  it("ten thousand approvals of strangers: they cost no signature check", () => {
    const made = changed();
    const one = approve(made.history, "eve", { base: made.root, head: made.head, planHash: made.plan });
    for (let n = 0; n < 10_000; n++) made.history.approvals.push(one);
    approve(made.history, "sif", { base: made.root, head: made.head, planHash: made.plan });
    const started = performance.now();

    expect(made.history.walk(made.root, made.head).stalled).toBeNull();
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

function named(good: StoredApproval, text: string): StoredApproval {
  const bytes = Buffer.from(text);
  return { ...good, bytes, sha256: sha256Hex(bytes) };
}
