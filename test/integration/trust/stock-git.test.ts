import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type GitRepository, openRepository, toOid } from "../../../src/git/index.ts";
import { trustReader } from "../../../src/reconciler/index.ts";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import { type TrustPolicy, type TrustWalk, type TrustWalkOptions, walkTrust } from "../../../src/trust/index.ts";
import { commitFiles, type ScratchDir, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";
import { sshKeygen, stockKey } from "../signer/ssh-keygen.ts";

const all: TrustPolicy = { commits: "require", merges: "all", groups: {}, paths: null, forges: [] };
const signersPath = "keys/spec_signers";

/** A repository of stock git in which people sign with keys of stock ssh-keygen. */
function setup() {
  const scratch = scratchDir();
  const dir = stockRepository(scratch.join("repo"));
  for (const person of ["ana", "bob", "eve"]) stockKey(scratch.join(person), { comment: person });
  stockGit(dir, ["config", "gpg.format", "ssh"]);
  const signersOf = (...people: readonly string[]): string =>
    people.map((person) => `${person} ${readFileSync(scratch.join(`${person}.pub`), "utf8")}`).join("");
  const commit = (person: string | null, files: Readonly<Record<string, string>> = {}): string => {
    stockGit(dir, ["config", "commit.gpgSign", String(person !== null)]);
    stockGit(dir, ["config", "user.signingKey", scratch.join(person ?? "ana")]);
    return commitFiles(dir, files);
  };
  return { scratch, dir, commit, signersOf, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

function walk(dir: string, over: Partial<TrustWalkOptions> = {}): TrustWalk {
  using repository: GitRepository = openRepository(dir);
  return walkTrust({
    verified: null,
    head: stockGit(dir, ["rev-parse", "HEAD"]),
    readCommit: (oid) => repository.readCommit(toOid(oid)),
    ...trustReader(repository),
    // The tests of stock git are about signatures: what they commit as orrery.yaml is no policy.
    readPolicy: () => null,
    pinnedSigners: null,
    now: new Date("2026-11-24T00:00:00Z"),
    crypto: nodeTrustCrypto,
    ...over,
  });
}

/** Does stock git say Good for this commit, by the signers file of its first parent (its own, for the first)? */
function stockAccepts({ dir, scratch }: { readonly dir: string; readonly scratch: ScratchDir }, oid: string): boolean {
  const parent = stockGit(dir, ["rev-list", "--parents", "-1", oid]).split(" ")[1] ?? oid;
  const signers = scratch.join("allowed");
  writeFileSync(signers, `${stockGit(dir, ["show", `${parent}:${signersPath}`])}\n`);
  try {
    stockGit(dir, ["-c", `gpg.ssh.allowedSignersFile=${signers}`, "verify-commit", oid]);
    return true;
  } catch {
    return false;
  }
}

describe("commits that stock git signed", () => {
  it("are verified as git verifies them, key by key along the first parents", () => {
    using repo = setup();
    const commits = [
      repo.commit("ana", { [signersPath]: repo.signersOf("ana") }),
      repo.commit("ana", { [signersPath]: repo.signersOf("ana", "bob") }),
      repo.commit("bob", { "tenants/acme/dags/a.yaml": "x: 1\n" }),
      repo.commit("bob", { [signersPath]: repo.signersOf("bob") }),
    ];

    const walked = walk(repo.dir);

    expect(walked).toMatchObject({ verified: { oid: commits[3] }, stalled: null, trustedBy: "first_use" });
    expect(walked.newly.map(({ oid, principal }) => [oid, principal])).toEqual([
      [commits[0], "ana"],
      [commits[1], "ana"],
      [commits[2], "bob"],
      [commits[3], "bob"],
    ]);
    for (const { oid } of walked.newly) expect(stockAccepts(repo, oid)).toBe(true);
    expect(sshKeygen(["-l", "-f", repo.scratch.join("bob.pub")]).out).toContain(walked.newly[2]?.fingerprint ?? "none");
  });

  it.each<[string, string | null, string]>([
    ["by a key that was removed", "ana", "TRUST_UNKNOWN_KEY"],
    ["by a stranger", "eve", "TRUST_UNKNOWN_KEY"],
    ["by nobody", null, "TRUST_UNSIGNED"],
  ])("%s stop both git and us", (_, person, code) => {
    using repo = setup();
    repo.commit("ana", { [signersPath]: repo.signersOf("ana", "bob") });
    const good = repo.commit("ana", { [signersPath]: repo.signersOf("bob") });
    const bad = repo.commit(person, { "orrery.yaml": "x" });

    expect(walk(repo.dir)).toMatchObject({ verified: { oid: good }, stalled: { commit: bad, code } });
    expect(stockAccepts(repo, bad)).toBe(false);
  });

  it("whose message was changed afterwards stop both git and us", () => {
    using repo = setup();
    const good = repo.commit("ana", { [signersPath]: repo.signersOf("ana") });
    const signed = repo.commit("ana", { a: "1" });
    const raw = stockGit(repo.dir, ["cat-file", "commit", signed]).replace(/change$/, "chanqe");
    const bad = stockGit(repo.dir, ["hash-object", "-w", "-t", "commit", "--stdin"], { input: `${raw}\n` });

    expect(bad).not.toBe(signed);
    expect(walk(repo.dir, { head: bad })).toMatchObject({
      verified: { oid: good },
      stalled: { commit: bad, code: "TRUST_BAD_SIGNATURE" },
    });
    expect(stockAccepts(repo, bad)).toBe(false);
  });

  it("whose message holds an armor but whose header does not are unsigned", () => {
    using repo = setup();
    repo.commit("ana", { [signersPath]: repo.signersOf("ana") });
    const signed = repo.commit("ana");
    const raw = stockGit(repo.dir, ["cat-file", "commit", signed]);
    const [head = "", body = ""] = raw.split(/^gpgsig [\s\S]*-----END SSH SIGNATURE-----\n/mu);
    const armor = raw.slice(head.length, raw.length - body.length);
    const forged = stockGit(repo.dir, ["hash-object", "-w", "-t", "commit", "--stdin"], {
      input: `${head}${body}\n${armor}`,
    });

    expect(walk(repo.dir, { head: forged }).stalled).toMatchObject({ code: "TRUST_UNSIGNED" });
  });

  it("merged by a signer are answered for by her, with a side branch of nobody", () => {
    using repo = setup();
    repo.commit("ana", { [signersPath]: repo.signersOf("ana") });
    stockGit(repo.dir, ["checkout", "-q", "-b", "side"]);
    repo.commit(null, { side: "1" });
    stockGit(repo.dir, ["checkout", "-q", "main"]);
    const main = repo.commit("ana", { main: "1" });
    stockGit(repo.dir, ["merge", "-q", "--no-ff", "-m", "merge", "side"]);

    expect(walk(repo.dir).stalled).toBeNull();
    expect(walk(repo.dir, { readPolicy: () => ({ kind: "policy", policy: all, ruleLines: [] }) })).toMatchObject({
      verified: { oid: main },
      stalled: { code: "TRUST_UNSIGNED", message: expect.stringContaining("brings it in") as string },
    });
  });

  it("undone with git revert go forward; undone with a force push they stall", () => {
    using repo = setup();
    repo.commit("ana", { [signersPath]: repo.signersOf("ana") });
    const mistake = repo.commit("ana", { mistake: "1" });
    stockGit(repo.dir, ["revert", "--no-edit", "HEAD"]);
    const reverted = stockGit(repo.dir, ["rev-parse", "HEAD"]);

    expect(walk(repo.dir, { verified: { commit: mistake } })).toMatchObject({
      verified: { oid: reverted },
      stalled: null,
    });

    stockGit(repo.dir, ["reset", "-q", "--hard", `${mistake}~1`]);
    expect(walk(repo.dir, { verified: { commit: mistake } })).toMatchObject({
      verified: { oid: mistake },
      stalled: { code: "TRUST_REWIND" },
    });
  });
});
