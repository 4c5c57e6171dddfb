import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/node-digest.ts";
import { groundsDiff, readGrounds, type TrustPolicy } from "../../../src/trust/index.ts";
import { approve, FakeHistory, planOf, signersFile } from "./fake-history.ts";

const groups = { guards: ["sam@acme.example", "sif@acme.example", "sol@acme.example"] };
const paths: TrustPolicy["paths"] = [
  { match: "quota/**", by: "guards", approvals: 1 },
  { match: "docs/**", by: "everyone", approvals: 0 },
  { match: "keys/**", by: "guards", approvals: 0 },
];
const first = { signers: signersFile("ana", "sam", "sif", "sol"), policy: { groups, paths } };

function setup(policy: Partial<TrustPolicy> = {}) {
  const history = new FakeHistory();
  const root = history.commit({ by: "sam", tree: { ...first, policy: { groups, paths, ...policy } } });
  const approved = (by: string, head: string, verdict: "approve" | "reject" = "approve"): string =>
    approve(history, by, { base: root, head, planHash: planOf(history, root, head), verdict }).sha256;
  return { history, root, approved };
}

describe("what a change needs", () => {
  it("is named path by path, by the first rule that matches, with who may sign, who may approve, and what is there", () => {
    const { history, root, approved } = setup();
    history.commit({ by: "ana", tree: { files: { "docs/b": "1", "quota/a": "1", "sites/x": "1" } } });
    const head = history.commit({ by: "sam", tree: { files: { "quota/b": "1", "docs/a": "1" } } });
    const sha = approved("sif", head);

    const found = history.demands(root, head);

    const ana = "ana@acme.example";
    expect(found).toMatchObject({ planHash: planOf(history, root, head), commits: "require" });
    expect(found.demands).toEqual([
      {
        rule: { match: "quota/**", by: "guards", approvals: 1, line: 10 },
        paths: ["quota/a", "quota/b"],
        maySign: ["sam@acme.example", "sif@acme.example", "sol@acme.example"],
        signedBy: [
          { principal: ana, commits: [expect.any(String)], may: false },
          { principal: "sam@acme.example", commits: [head], may: true },
        ],
        wanted: 1,
        approvedBy: [expect.objectContaining({ approver: "sif@acme.example", sha256: sha })],
        rejectedBy: [],
        isApproved: true,
        mayApprove: ["sol@acme.example"],
      },
      expect.objectContaining({ paths: ["docs/a", "docs/b"], wanted: 0, isApproved: true, mayApprove: [] }),
      {
        ...{ rule: null, paths: ["sites/x"], maySign: [], wanted: 0, approvedBy: [], rejectedBy: [] },
        ...{ signedBy: [{ principal: ana, commits: [expect.any(String)], may: false }] },
        ...{ isApproved: false, mayApprove: [] },
      },
    ]);
  });

  it("counts neither an author, nor an approval of another plan; a rejection stops it", () => {
    const { history, root, approved } = setup();
    const other = history.commit({ by: "sam", tree: { files: { "quota/a": "other" } } });
    approve(history, "sif", { base: root, head: other, planHash: planOf(history, root, other) });
    const head = history.commit({ by: "sam", parents: [root], tree: { files: { "quota/a": "1" } } });
    approved("sam", head);

    const [alone] = history.demands(root, head).demands;
    approved("sif", head);
    const [both] = history.demands(root, head).demands;
    approved("sol", head, "reject");
    const [rejected] = history.demands(root, head).demands;

    expect(alone).toMatchObject({
      approvedBy: [],
      isApproved: false,
      mayApprove: [groups.guards[1], groups.guards[2]],
    });
    expect(both).toMatchObject({ approvedBy: [{ approver: "sif@acme.example" }], isApproved: true });
    expect(rejected).toMatchObject({ rejectedBy: ["sol@acme.example"], isApproved: false });
  });

  it("is there, too, where each commit was approved by itself", () => {
    const { history, root } = setup();
    const one = history.commit({ by: "sam", tree: { files: { "quota/a": "1" } } });
    approve(history, "sif", { base: root, head: one, planHash: planOf(history, root, one) });
    const two = history.commit({ by: "sam", tree: { files: { "quota/b": "1" } } });
    approve(history, "sol", { base: one, head: two, planHash: planOf(history, one, two) });

    const [demand] = history.demands(root, two).demands;

    expect(history.walk(root, two).stalled).toBeNull();
    expect(demand?.isApproved).toBe(true);
    expect(demand?.approvedBy.map(({ approver }) => approver).sort()).toEqual(["sif@acme.example", "sol@acme.example"]);
  });

  it("without rules is anybody's signature; a squash by a forge wants one of them to stand for it", () => {
    const { history, root } = setup({ paths: null, forges: ["sol@acme.example"] });
    const own = history.commit({ by: "ana", tree: { files: { "docs/a": "1" } } });
    const squash = history.commit({ by: "sol", author: "ana", parents: [root], tree: { files: { "docs/b": "1" } } });

    const [plain] = history.demands(root, own).demands;
    const [before] = history.demands(root, squash).demands;
    approve(history, "ana", { base: root, head: squash, planHash: planOf(history, root, squash) });
    const [after] = history.demands(root, squash).demands;

    expect(plain).toMatchObject({ rule: { match: "**", by: "everyone" }, wanted: 0, isApproved: true });
    expect(before).toMatchObject({
      wanted: 1,
      isApproved: false,
      mayApprove: expect.arrayContaining(["ana@acme.example"]) as unknown,
    });
    expect(after).toMatchObject({ isApproved: true, approvedBy: [{ approver: "ana@acme.example" }] });
  });

  it("agrees with the walk: one commit stands exactly where its signer may and every rule is approved", () => {
    const person = fc.constantFrom("ana", "sam", "sif", "sol");
    const touched = fc.uniqueArray(fc.constantFrom("quota/a", "docs/a", "keys/x", "sites/x"), { minLength: 1 });
    const voice = fc.record({
      by: person,
      verdict: fc.constantFrom<"approve" | "reject">("approve", "approve", "reject"),
    });
    fc.assert(
      fc.property(person, person, touched, fc.array(voice, { maxLength: 3 }), (by, author, files, voices) => {
        const { history, root, approved } = setup();
        const tree = { files: Object.fromEntries(files.map((file) => [file, "1"])) };
        const head = history.commit({ by, author, tree });
        for (const { by: who, verdict } of voices) approved(who, head, verdict);

        const { demands } = history.demands(root, head);
        const stands = demands.every(({ signedBy, isApproved }) => isApproved && signedBy.every(({ may }) => may));

        expect(stands).toBe(history.walk(root, head).stalled === null);
      }),
    );
  });
});

describe("who may more and who less", () => {
  it("names keys, members, rules and their order, and nothing where nothing differs", () => {
    const { history, root } = setup();
    const later = {
      groups: { guards: ["sam@acme.example", "eve@acme.example"] },
      paths: [paths[1], paths[0]],
    } as never;
    const head = history.commit({ by: "sam", tree: { signers: signersFile("ana", "sam", "eve"), policy: later } });
    const turned = history.commit({
      by: "sam",
      parents: [root],
      tree: { policy: { groups, paths: [...paths].reverse() } },
    });
    const grounds = (oid: string) => readGrounds(history.reader, oid);

    const { gained, lost } = groundsDiff(grounds(root), grounds(head), sha256);

    expect(gained).toEqual([
      "eve@acme.example in guards",
      expect.stringMatching(/^key SHA256:\S+ of eve@acme.example$/),
    ]);
    expect(lost).toEqual([
      expect.stringMatching(/^key SHA256:\S+ of (sif|sol)@/),
      expect.stringMatching(/^key SHA256:\S+ of (sif|sol)@/),
      "keys/** by guards",
      "sif@acme.example in guards",
      "sol@acme.example in guards",
    ]);
    expect(groundsDiff(grounds(root), grounds(root), sha256)).toEqual({ gained: [], lost: [] });
    expect(groundsDiff(grounds(root), grounds(turned), sha256)).toEqual({
      gained: ["another order of trust.paths"],
      lost: [],
    });
  });
});
