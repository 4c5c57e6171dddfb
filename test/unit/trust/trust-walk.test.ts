import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { armorSshsig, type TrustPolicy, wireString } from "../../../src/trust/index.ts";
import { type FakeCommit, FakeHistory, keyLine, oidOf, signersFile, start } from "./fake-history.ts";

/** A branch whose first commit ana signed and which she and bob may go on with. */
function setup(policy: Partial<TrustPolicy> | null = null) {
  const history = new FakeHistory();
  const root = history.commit({ by: "ana", tree: { signers: signersFile("ana", "bob"), policy } });
  return { history, root };
}

/** One commit on top of the verified root, judged. */
function judged(commit: FakeCommit, policy: Partial<TrustPolicy> | null = null) {
  const { history, root } = setup(policy);
  const head = history.commit(commit);
  return { root, head, walk: history.walk(root, head) };
}

describe("the first revision", () => {
  it("is trusted on first use when a key of its own signers file signed it", () => {
    const { history, root } = setup();

    expect(history.walk(null, root)).toMatchObject({
      verified: { oid: root },
      newly: [{ oid: root, parent: null, principal: "ana@acme.example", warnings: [] }],
      stalled: null,
      trustedBy: "first_use",
      signersSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it.each<[string, FakeCommit, RegExp]>([
    ["is unsigned", { by: null, tree: { signers: signersFile("ana") } }, /is not signed/],
    ["has no signers file", { by: "ana" }, /does not name/],
    ["is signed by another key", { by: "eve", tree: { signers: signersFile("ana") } }, /does not name/],
    ["has a bad signers file", { by: "ana", tree: { signers: `${signersFile("ana")}oops\n` } }, /spec_signers:2/],
    ["is from tomorrow", { by: "ana", tree: { signers: signersFile("ana") }, seconds: start + 200_000 }, /ahead/],
  ])("is not trusted when it %s", (_, commit, message) => {
    const history = new FakeHistory();
    const head = history.commit(commit);

    expect(history.walk(null, head)).toMatchObject({
      verified: null,
      newly: [],
      stalled: { commit: head, code: "TRUST_FIRST_USE", message: expect.stringMatching(message) as string },
      trustedBy: null,
      signersSha256: null,
    });
  });

  it("is the oldest that stands by itself: unsigned history before it is not verified", () => {
    const history = new FakeHistory();
    history.commit({ by: null });
    history.commit({ by: null, tree: { signers: signersFile("ana") } });
    const first = history.commit({ by: "ana" });
    const second = history.commit({ by: "ana" });

    expect(history.walk(null, second).newly.map(({ oid, parent }) => [oid, parent])).toEqual([
      [first, oidOf(2)],
      [second, first],
    ]);
  });

  it("must be signed by the pinned file when the operator pinned one, whatever its own tree says", () => {
    const history = new FakeHistory();
    const none: Partial<TrustPolicy> = { commits: "none", merges: "firstParent" };
    const evil = history.commit({ by: null, tree: { signers: signersFile("eve"), policy: none } });
    const evilToo = history.commit({ by: "eve" });

    expect(history.walk(null, evil).trustedBy).toBe("first_use");
    expect(history.walk(null, evilToo, { pinnedSigners: signersFile("ana") })).toMatchObject({
      verified: null,
      stalled: { code: "TRUST_FIRST_USE" },
    });
  });

  it("pinned: what follows is judged by the repository's own file", () => {
    const history = new FakeHistory();
    const root = history.commit({ by: "ana", tree: { signers: signersFile("ana", "bob") } });
    const head = history.commit({ by: "bob" });

    expect(history.walk(null, head, { pinnedSigners: signersFile("ana") })).toMatchObject({
      verified: { oid: head },
      newly: [{ oid: root }, { oid: head, principal: "bob@acme.example" }],
      trustedBy: "pinned",
    });
  });

  it("stalls on a pinned file that does not parse", () => {
    const { history, root } = setup();

    expect(history.walk(null, root, { pinnedSigners: "ana" }).stalled).toMatchObject({ code: "TRUST_SIGNERS_FILE" });
  });
});

describe("the walk", () => {
  it("verifies nothing anew when the head is the verified revision, and reads one commit", () => {
    const { history, root } = setup();

    expect(history.walk(root, root)).toEqual({
      verified: { oid: root },
      newly: [],
      stalled: null,
      trustedBy: null,
      signersSha256: null,
    });
    expect(history.reads).toBe(1);
  });

  it("judges each commit by the keys before it: a new key signs from the next commit on", () => {
    const { history, root } = setup();
    history.commit({ by: "ana", tree: { signers: signersFile("ana", "cid") } });
    const use = history.commit({ by: "cid" });

    expect(history.walk(root, use)).toMatchObject({ verified: { oid: use }, stalled: null });

    const own = judged({ by: "cid", tree: { signers: signersFile("ana", "cid") } });

    expect(own.walk).toMatchObject({ verified: { oid: own.root }, stalled: { code: "TRUST_UNKNOWN_KEY" } });
  });

  it("revokes by position: a removed key signs nothing that follows, whatever its date says", () => {
    const { history, root } = setup();
    const remove = history.commit({ by: "ana", tree: { signers: signersFile("ana") }, seconds: start + 100 });
    const backdated = history.commit({ by: "bob", seconds: start + 1 });

    expect(history.walk(root, backdated)).toMatchObject({
      verified: { oid: remove },
      newly: [{ oid: remove }],
      stalled: { commit: backdated, code: "TRUST_UNKNOWN_KEY" },
    });
  });

  it("keeps the longest verified prefix and does not look behind the first bad commit", () => {
    const { history, root } = setup();
    const good = history.commit({ by: "bob" });
    const bad = history.commit({ by: null });
    const later = history.commit({ by: "ana" });

    expect(history.walk(root, later)).toMatchObject({
      verified: { oid: good },
      newly: [{ oid: good, parent: root }],
      stalled: { commit: bad, code: "TRUST_UNSIGNED" },
    });
  });

  const dsa = armorSshsig({
    blob: Buffer.concat([wireString("ssh-dss"), wireString("x")]),
    namespace: "git",
    hash: "sha512",
    algorithm: "ssh-dss",
    raw: new Uint8Array(512),
  });
  it.each<[string, FakeCommit, string]>([
    ["unsigned", { by: null }, "TRUST_UNSIGNED"],
    ["of an unknown key", { by: "eve" }, "TRUST_UNKNOWN_KEY"],
    ["whose bytes are not those signed", { by: "ana", forged: true }, "TRUST_BAD_SIGNATURE"],
    ["signed for another namespace", { by: "ana", namespace: "orrery-approval" }, "TRUST_BAD_SIGNATURE"],
    ["that git and we could read differently", { by: "ana", defect: "two gpgsig headers" }, "TRUST_BAD_SIGNATURE"],
    ["made long before its parent", { by: "ana", seconds: start - 301 }, "TRUST_CLOCK"],
    ["made ahead of the clock", { by: "ana", seconds: start + 100_301 }, "TRUST_CLOCK"],
    ["that removes the signers file", { by: "ana", tree: { signers: null } }, "TRUST_LOCKOUT"],
    ["that leaves no signer", { by: "ana", tree: { signers: "# none\n" } }, "TRUST_LOCKOUT"],
    ["that leaves only an expired key", { by: "ana", tree: { signers: expired() } }, "TRUST_LOCKOUT"],
    ["that leaves only a key for files", { by: "ana", tree: { signers: forFiles() } }, "TRUST_LOCKOUT"],
    [
      "with a bad line beside a good one",
      { by: "ana", tree: { signers: `${signersFile("ana")}x\n` } },
      "TRUST_SIGNERS_FILE",
    ],
    [
      "by a signer who makes herself a recorder",
      { by: "bob", tree: { recorders: ["bob"], signers: signersFile("ana") } },
      "TRUST_RECORDER_KEY",
    ],
    ["that makes a recorder a signer", { by: "ana", tree: { recorders: ["bob"] } }, "TRUST_RECORDER_KEY"],
  ])("stops at a commit %s", (_, commit, code) => {
    const { root, head, walk } = judged(commit);

    expect(walk).toMatchObject({ verified: { oid: root }, newly: [], stalled: { commit: head, code } });
  });

  function expired(): string {
    return `ana valid-before="20200101Z" ${keyLine("ana")}\n`;
  }
  function forFiles(): string {
    return `ana namespaces="file" ${keyLine("ana")}\n`;
  }

  it("names the type of a key that it does not verify", () => {
    const { history, root } = setup();
    const head = history.commit({ by: "ana" });
    const readCommit = (oid: string) => ({
      ...{ oid, tree: oid, parents: oid === head ? [root] : [], payload: new Uint8Array(), defect: null },
      ...{ author: { name: "", email: "", seconds: start }, committer: { name: "", email: "", seconds: start } },
      signature: dsa,
    });

    expect(history.walk(root, head, { readCommit }).stalled).toMatchObject({
      code: "TRUST_KEY_TYPE",
      message: expect.stringContaining("ssh-dss") as string,
    });
  });

  it("takes a clock that is off by up to five minutes", () => {
    expect(judged({ by: "ana", seconds: start - 300 }).walk.stalled).toBeNull();
    expect(judged({ by: "ana", seconds: start + 100_300 }).walk.stalled).toBeNull();
  });

  it("lets a recorder's key sign no spec commit, not even where the signers file names it or nobody need sign", () => {
    for (const commits of ["require", "warn", "none"] as const) {
      const { history, root } = setup({ commits, merges: "firstParent" });
      const site = history.commit({ by: "ana", tree: { recorders: ["rec"] } });
      const head = history.commit({ by: "rec" });

      expect(history.walk(root, head)).toMatchObject({
        verified: { oid: site },
        stalled: { code: "TRUST_RECORDER_KEY" },
      });
    }
  });
});

describe("a policy", () => {
  const warn: Partial<TrustPolicy> = { commits: "warn", merges: "firstParent" };

  it("warn lets an unsigned commit pass and says so", () => {
    const { head, walk } = judged({ by: null }, warn);

    expect(walk).toMatchObject({ verified: { oid: head }, stalled: null });
    expect(walk.newly[0]).toMatchObject({ principal: null, fingerprint: null });
    expect(walk.newly[0]?.warnings).toEqual([`TRUST_UNSIGNED: commit ${head.slice(0, 12)} is not signed`]);
  });

  it("none lets everything pass in silence, but still names a signer that it knows", () => {
    const none: Partial<TrustPolicy> = { commits: "none", merges: "firstParent" };

    expect(judged({ by: "eve" }, none).walk.newly[0]).toMatchObject({ principal: null, warnings: [] });
    expect(judged({ by: "bob" }, none).walk.newly[0]).toMatchObject({ principal: "bob@acme.example" });
  });

  it("counts from the commit after the one that sets it", () => {
    const { history, root } = setup();
    const loosen = history.commit({ by: "ana", tree: { policy: warn } });
    const unsigned = history.commit({ by: null });

    expect(history.walk(root, unsigned).verified?.oid).toBe(unsigned);
    expect(judged({ by: null, tree: { policy: warn } }).walk.stalled?.code).toBe("TRUST_UNSIGNED");
    expect(loosen).not.toBe(unsigned);
  });

  it("require cannot be set where no key could sign after it", () => {
    const tree = { signers: null, policy: { commits: "require", merges: "firstParent" } as const };

    expect(judged({ by: "ana", tree }, warn).walk.stalled?.code).toBe("TRUST_LOCKOUT");
  });
});

describe("a branch that does not go forward", () => {
  it("is stalled with the way back when it went back", () => {
    const { history, root } = setup();
    const second = history.commit({ by: "ana" });

    expect(history.walk(second, root)).toMatchObject({
      verified: { oid: second },
      newly: [],
      stalled: { commit: root, code: "TRUST_REWIND", message: expect.stringContaining("git revert") as string },
    });
  });

  it("is stalled when it forked", () => {
    const { history, root } = setup();
    const verified = history.commit({ by: "ana" });
    const fork = history.commit({ by: "ana", parents: [root] });

    expect(history.walk(verified, fork).stalled).toMatchObject({
      code: "TRUST_REWIND",
      message: expect.stringContaining("does not descend") as string,
    });
  });

  it("is stalled, not broken, when the repository was replaced by one that lacks the verified revision", () => {
    const { history, root } = setup();
    const lost = oidOf(77);
    const readCommit = (oid: string) => {
      if (oid === lost) throw new Fault("REPO_CORRUPT", `object ${oid} is missing`);
      return history.commitOf(oid);
    };

    expect(history.walk(lost, root, { readCommit })).toMatchObject({
      verified: { oid: lost },
      stalled: { commit: root, code: "TRUST_REWIND", message: expect.stringContaining("does not descend") as string },
    });
  });

  it("is stalled when the verified revision is only a later parent of a merge", () => {
    const { history, root } = setup();
    const verified = history.commit({ by: "ana" });
    const local = history.commit({ by: "bob", parents: [root] });
    const merge = history.commit({ by: "bob", parents: [local, verified] });

    expect(history.walk(verified, merge).stalled).toMatchObject({
      code: "TRUST_REWIND",
      message: expect.stringContaining("merge the other way round") as string,
    });
  });
});

describe("a merge", () => {
  const all: Partial<TrustPolicy> = { commits: "require", merges: "all" };

  function merged(policy: Partial<TrustPolicy>, side: readonly FakeCommit[]) {
    const { history, root } = setup(policy);
    let tip = root;
    for (const commit of side) tip = history.commit({ ...commit, parents: [tip] });
    const main = history.commit({ by: "ana", parents: [root] });
    const merge = history.commit({ by: "ana", parents: [main, tip] });
    return { history, main, merge, walk: history.walk(root, merge) };
  }

  it("is answered for by its signer under firstParent", () => {
    const { merge, walk } = merged({ commits: "require", merges: "firstParent" }, [{ by: null }]);

    expect(walk).toMatchObject({ verified: { oid: merge }, stalled: null });
  });

  it("brings in only commits of known signers under all", () => {
    expect(merged(all, [{ by: "bob" }, { by: "ana" }]).walk.stalled).toBeNull();

    const { main, merge, walk } = merged(all, [{ by: null }, { by: "bob" }]);

    expect(walk).toMatchObject({ verified: { oid: main }, stalled: { commit: merge, code: "TRUST_UNSIGNED" } });
  });

  it("under all, lets no revoked key back in through an old branch", () => {
    const { history, root } = setup(all);
    const side = history.commit({ by: "bob", parents: [root] });
    const revoke = history.commit({ by: "ana", parents: [root], tree: { signers: signersFile("ana") } });
    const merge = history.commit({ by: "ana", parents: [revoke, side] });

    expect(history.walk(root, merge)).toMatchObject({
      verified: { oid: revoke },
      stalled: { commit: merge, code: "TRUST_UNKNOWN_KEY" },
    });
  });

  it("under all, brings in nothing that is dated ahead of the clock", () => {
    const { walk } = merged(all, [{ by: "bob", seconds: start + 200_000 }]);

    expect(walk.stalled?.code).toBe("TRUST_CLOCK");
  });

  it("under all, does not judge again what the first parent holds already", () => {
    const { history, root } = setup(all);
    const side = history.commit({ by: "bob", parents: [root] });
    const first = history.commit({ by: "ana", parents: [root, side] });
    const revoke = history.commit({ by: "ana", parents: [first], tree: { signers: signersFile("ana") } });
    const more = history.commit({ by: "ana", parents: [side] });
    const merge = history.commit({ by: "ana", parents: [revoke, more] });

    expect(history.walk(root, merge)).toMatchObject({ verified: { oid: merge }, stalled: null });
  });
});
