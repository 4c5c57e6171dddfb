import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stockGit, stockGitBytes } from "../../support/git-fixtures.ts";
import { sshKeygen, stockKey } from "../signer/ssh-keygen.ts";
import { orrery, type Ran } from "./cli-fixture.ts";
import {
  guardRules,
  mail,
  type Name,
  openTrustRepository,
  publicKey,
  quota,
  quotaPath,
  type TrustRepository,
} from "./trust-fixture.ts";

/** `orrery approve ...` of this repository, as somebody. */
const approve = (repo: TrustRepository, person: Name, ...args: readonly string[]): Promise<Ran> =>
  orrery("approve", ...args, "-m", "looked at it", "--repo", repo.dir, "--key", repo.key(person));

const list = (repo: TrustRepository, ...args: readonly string[]): Promise<Ran> =>
  orrery("approve", "list", ...args, "--repo", repo.dir);

interface Statement {
  readonly planHash: string;
  readonly base: string;
  readonly head: string;
  readonly verdict: string;
  readonly reason: string;
}

/** The two parts of an approval blob, by its own line end. */
function partsOf(blob: Buffer): { readonly statement: string; readonly armored: string } {
  const end = blob.indexOf("\n");
  return { statement: blob.subarray(0, end).toString(), armored: blob.subarray(end + 1).toString() };
}

const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** sha256(JCS([{path, before, after}])) by stock git and this alone. */
function planHashByGit(repo: TrustRepository, base: string, head: string): string {
  const contents = (rev: string, path: string): string | null => {
    const [entry = ""] = repo.git("ls-tree", rev, path).split("\n");
    return entry === "" ? null : sha256(stockGitBytes(repo.dir, ["cat-file", "blob", `${rev}:${path}`]));
  };
  const paths = repo.git("diff", "--no-renames", "--name-only", base, head).split("\n").filter(Boolean).sort();
  const rows = paths.map((path) => ({ after: contents(head, path), before: contents(base, path), path }));
  return sha256(JSON.stringify(rows));
}

/** Says stock ssh-keygen that this person signed the statement, by the signers file of the branch? */
function isVerified(repo: TrustRepository, ref: string, principal: string): boolean {
  const { statement, armored } = partsOf(repo.blob(ref));
  const [signature, signers] = [repo.home.join("signature"), repo.home.join("signers")];
  writeFileSync(signature, armored);
  writeFileSync(signers, `${repo.git("show", "main:keys/spec_signers")}\n`);
  const args = ["-Y", "verify", "-f", signers, "-I", principal, "-n", "orrery-approval", "-s", signature];
  return sshKeygen(args, statement).ok;
}

function onlyApproval(repo: TrustRepository): string {
  const [ref = "none", ...more] = repo.approvals();
  expect(more).toEqual([]);
  return ref;
}

describe("orrery approve REV", () => {
  it("writes canonical JSON, LF and a signature under a name that git and ssh-keygen can check", async () => {
    using repo = openTrustRepository();
    const base = repo.git("rev-parse", "HEAD");
    const head = repo.commit("ana", { [quotaPath]: quota(2), "docs/why.md": "more work\n", "docs/old.md": "" });

    const ran = await approve(repo, "sif", head);

    expect(ran).toMatchObject({ exit: 0 });
    const ref = onlyApproval(repo);
    const blob = repo.blob(ref);
    expect(ref).toBe(`refs/orrery/approvals/${head}/${sha256(blob)}`);
    const { statement, armored } = partsOf(blob);
    const said = JSON.parse(statement) as Statement;
    expect(said).toEqual({
      ...{ base, head, verdict: "approve", reason: "looked at it" },
      planHash: planHashByGit(repo, base, head),
    });
    expect(statement).toBe(JSON.stringify(Object.fromEntries(Object.entries(said).sort())));
    expect(armored).toMatch(/^-----BEGIN SSH SIGNATURE-----\n[\s\S]+\n-----END SSH SIGNATURE-----\n$/u);
    expect(isVerified(repo, ref, mail("sif"))).toBe(true);
    expect(isVerified(repo, ref, mail("ana"))).toBe(false);
    expect(ran.notes).toContain(`git push origin ${ref}`);
  });

  it("lets the commit in: what waited with exit 5 stands, and says who approved", async () => {
    using repo = openTrustRepository();
    const head = repo.commit("ana", { [quotaPath]: quota(2) });
    const before = await list(repo);
    expect(before).toMatchObject({ exit: 5, out: "no approvals" });
    expect(before.notes).toMatch(
      /orrery.yaml:7 wants 1 of guards \(ana@.*, omar@.*, sif@.*\); 0 of 1 approvals there$/,
    );

    await approve(repo, "sif", "main");

    const after = await list(repo);
    expect(after).toMatchObject({ exit: 0, notes: "" });
    expect(after.out).toMatch(new RegExp(`${head.slice(0, 12)} +approve +sif@acme.example .* looked at it`));
    const shown = await orrery("trust", "show", "--repo", repo.dir);
    expect(shown.exit).toBe(0);
    expect(shown.out).toMatch(new RegExp(`${head.slice(0, 12)} +ana@acme.example +sif@acme.example`));
  });

  it.each<[string, (repo: TrustRepository) => string]>([
    ["HEAD", () => "HEAD"],
    ["a parent of HEAD", (repo) => (repo.commit("bob", { "docs/b.md": "b" }), "HEAD^")],
    ["a detached HEAD", (repo) => (repo.git("checkout", "-q", "--detach"), "HEAD")],
    ["a branch", () => "main"],
    ["a full ref", () => "refs/heads/main"],
    ["a short id", (repo) => repo.git("rev-parse", "--short=8", "main")],
    ["a remote branch", (repo) => (repo.git("update-ref", "refs/remotes/origin/main", "main"), "origin/main")],
  ])("takes %s", async (_, name) => {
    using repo = openTrustRepository();
    const head = repo.commit("ana", { [quotaPath]: quota(2) });

    const ran = await approve(repo, "sif", name(repo));

    expect(ran).toMatchObject({ exit: 0 });
    expect(onlyApproval(repo).split("/")[3]).toBe(head);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ["a name that is nothing", ["nowhere"], 4, /refs\/heads\/nowhere does not exist/],
    ["an id that is not there", ["1".repeat(40)], 4, /does not hold 1{40}/],
    ["a commit that stands already", ["HEAD^"], 2, /stands already/],
    ["two commits", ["HEAD", "HEAD^"], 2, /one REV/],
  ])("refuses %s, and writes nothing", async (_, args, exit, message) => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });

    const ran = await approve(repo, "sif", ...args);

    expect(ran.exit).toBe(exit);
    expect(ran.notes).toMatch(message);
    expect(repo.approvals()).toEqual([]);
  });

  it("refuses a tree in a commit's place, and a missing reason", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });

    const tree = await approve(repo, "sif", repo.git("rev-parse", "HEAD^{tree}"));
    const silent = await orrery("approve", "HEAD", "--repo", repo.dir, "--key", repo.key("sif"));

    expect(tree.exit).not.toBe(0);
    expect(tree.exit).not.toBe(70);
    expect(silent).toMatchObject({ exit: 2, notes: expect.stringContaining("-m REASON") as string });
    expect(repo.approvals()).toEqual([]);
  });

  it("signs with git's user.signingkey where no --key is given", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });
    repo.git("config", "user.signingkey", repo.key("omar"));

    await orrery("approve", "HEAD", "-m", "looked at it", "--repo", repo.dir);

    expect(isVerified(repo, onlyApproval(repo), mail("omar"))).toBe(true);
    expect((await list(repo)).exit).toBe(0);
  });

  it.each(["ecdsa", "rsa"])("signs with a key of type %s, through ssh-keygen", async (type) => {
    using repo = openTrustRepository();
    const key = stockKey(repo.home.join(`${type}_key`), { type });
    const line = `${mail("sif")} namespaces="git,orrery-approval" ${publicKey(key)}\n`;
    repo.commit("ana", { "keys/spec_signers": `${repo.signer("ana")}${line}${repo.signer("omar")}` });
    repo.commit("ana", { [quotaPath]: quota(2) });

    const ran = await orrery("approve", "HEAD", "-m", "looked at it", "--repo", repo.dir, "--key", key);

    expect(ran.exit).toBe(0);
    expect(isVerified(repo, onlyApproval(repo), mail("sif"))).toBe(true);
    expect((await list(repo)).exit).toBe(0);
  });
});

describe("orrery approve --reject", () => {
  it("stops the change by reason, whoever else approved, until its ref is removed", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });

    const ran = await orrery(
      ...["approve", "HEAD", "--reject", "-m", "no room", "--repo", repo.dir, "--key", repo.key("omar")],
    );

    expect(ran.out).toMatch(/^rejected /);
    const rejection = onlyApproval(repo);
    await approve(repo, "sif", "HEAD");
    const stopped = await list(repo);
    expect(stopped.exit).toBe(5);
    expect(stopped.notes).toContain("omar@acme.example rejected it: no room");
    expect(JSON.parse(partsOf(repo.blob(rejection)).statement)).toMatchObject({ verdict: "reject", reason: "no room" });
    expect(isVerified(repo, rejection, mail("omar"))).toBe(true);

    repo.git("update-ref", "-d", rejection);

    expect((await list(repo)).exit).toBe(0);
  });

  it("by somebody outside of the group stops nothing", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });
    await approve(repo, "sif", "HEAD");

    await orrery("approve", "HEAD", "--reject", "-m", "no", "--repo", repo.dir, "--key", repo.key("bob"));

    expect((await list(repo)).exit).toBe(0);
  });
});

describe("an approval that does not count", () => {
  it("is the author's own", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });

    await approve(repo, "ana", "HEAD");

    const listed = await list(repo);
    expect(listed.exit).toBe(5);
    expect(listed.notes).toContain("0 of 1 approvals there; an author's own does not count");
  });

  it("is that of whoever wrote the commit which another signed", async () => {
    using repo = openTrustRepository();
    repo.commit("sif", { [quotaPath]: quota(2) });
    const signing = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${repo.key("ana")}`];
    stockGit(repo.dir, [...signing, "commit", "-q", "-S", "--amend", "--no-edit"], {
      env: { GIT_COMMITTER_EMAIL: mail("ana") },
    });

    await approve(repo, "sif", "HEAD");
    expect((await list(repo)).exit).toBe(5);
    await approve(repo, "omar", "HEAD");

    expect((await list(repo)).exit).toBe(0);
  });

  it.each<[Name, RegExp]>([
    ["bob", /0 of 1 approvals there$/],
    ["eve", /0 of 1 approvals there$/],
  ])("is that of somebody who is not of the group: %s", async (person, message) => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });

    const ran = await approve(repo, person, "HEAD");

    const listed = await list(repo);
    expect(listed.exit).toBe(5);
    expect(listed.notes).toMatch(message);
    if (person === "eve") expect(ran.notes).toMatch(/it counts for nothing: keys\/spec_signers does not let SHA256:/);
    if (person === "eve") expect(listed.out).toMatch(/ void /);
  });

  it("is one of another change: the same file with other contents", async () => {
    using repo = openTrustRepository();
    repo.git("checkout", "-q", "-b", "topic");
    repo.commit("ana", { [quotaPath]: quota(2) });
    await approve(repo, "sif", "topic");
    repo.git("checkout", "-q", "main");

    repo.commit("ana", { [quotaPath]: quota(3) });

    expect((await list(repo)).exit).toBe(5);
  });

  it("is one of the change with a file more", async () => {
    using repo = openTrustRepository();
    repo.git("checkout", "-q", "-b", "topic");
    repo.commit("ana", { [quotaPath]: quota(2) });
    await approve(repo, "sif", "topic");
    repo.git("checkout", "-q", "main");

    repo.commit("ana", { [quotaPath]: quota(2), "tenants/beta/quota.yaml": quota(9) });

    expect((await list(repo)).exit).toBe(5);
  });

  it("is one whose key was removed before its commit", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { "keys/spec_signers": repo.signer("ana") + repo.signer("omar") });
    repo.commit("ana", { [quotaPath]: quota(2) });

    await approve(repo, "sif", "HEAD");

    expect((await list(repo)).exit).toBe(5);
  });

  it("is one by a key that may sign commits alone", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", {
      "keys/spec_signers": `${repo.signer("ana")}${repo.signer("sif", "git")}${repo.signer("omar")}`,
    });
    repo.commit("ana", { [quotaPath]: quota(2) });

    await approve(repo, "sif", "HEAD");

    expect((await list(repo)).exit).toBe(5);
  });
});

describe("a branch that is approved before it lands", () => {
  async function approvedTopic(): Promise<TrustRepository> {
    const repo = openTrustRepository();
    repo.git("checkout", "-q", "-b", "topic");
    repo.commit("ana", { [quotaPath]: quota(2) });
    repo.commit("ana", { "docs/why.md": "more work" });
    await approve(repo, "sif", "topic");
    repo.git("checkout", "-q", "main");
    return repo;
  }

  it("lets its squash in, and that once: the same change again waits", async () => {
    using repo = await approvedTopic();

    repo.git("merge", "-q", "--squash", "topic");
    repo.commit("ana", {});
    expect((await list(repo)).exit).toBe(0);

    repo.commit("omar", { "docs/why.md": null, "docs/note.md": "n" });
    const again = repo.commit("ana", { "docs/why.md": "more work", "docs/note.md": null });
    expect((await list(repo)).exit).toBe(0);
    repo.commit("omar", { [quotaPath]: quota(1), "docs/why.md": null });
    await approve(repo, "sif", "HEAD");
    expect((await list(repo)).exit).toBe(0);
    const third = repo.commit("ana", { [quotaPath]: quota(2), "docs/why.md": "more work" });

    const waits = await list(repo);
    expect(waits.exit).toBe(5);
    expect(waits.notes).toContain(third.slice(0, 12));
    expect(waits.notes).not.toContain(again.slice(0, 12));
  });

  it("lets its merge in, while main moved on elsewhere", async () => {
    using repo = await approvedTopic();
    repo.commit("bob", { "docs/other.md": "o" });

    const signing = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${repo.key("ana")}`];
    repo.git(...signing, "merge", "-q", "-S", "--no-ff", "-m", "merge", "topic");

    expect((await list(repo)).exit).toBe(0);
  });
});

describe("orrery approve list", () => {
  it("answers JSON with each row and what is waited for", async () => {
    using repo = openTrustRepository();
    const base = repo.git("rev-parse", "HEAD");
    const head = repo.commit("ana", { [quotaPath]: quota(2) });
    await approve(repo, "bob", "HEAD");

    const { exit, out } = await list(repo, "-o", "json");

    expect(exit).toBe(5);
    expect(JSON.parse(out)).toMatchObject({
      approvals: [{ head, base, verdict: "approve", approver: mail("bob"), reason: "looked at it", defect: null }],
      waiting: { commit: head, code: "APPROVALS_MISSING" },
    });
  });

  it("of one commit shows only its own", async () => {
    using repo = openTrustRepository();
    const one = repo.commit("ana", { [quotaPath]: quota(2) });
    await approve(repo, "sif", "HEAD");
    repo.commit("ana", { [quotaPath]: quota(3) });
    await approve(repo, "sif", "HEAD");

    const { out } = await list(repo, one.slice(0, 10));

    expect(repo.approvals()).toHaveLength(2);
    expect(out.split("\n")).toHaveLength(2);
    expect(out).toContain(one.slice(0, 12));
  });

  it("prints a reason that would steer the terminal as text", async () => {
    using repo = openTrustRepository();
    repo.commit("ana", { [quotaPath]: quota(2) });
    const reason = "fine\u001b[2J\u202eevil";
    await orrery("approve", "HEAD", "-m", reason, "--repo", repo.dir, "--key", repo.key("sif"));

    const { out, exit } = await list(repo);

    expect(exit).toBe(0);
    expect(out).not.toMatch(/[\u001b\u202e]/u);
  });

  it("has nothing to say where no rule wants approvals", async () => {
    using repo = openTrustRepository({ "orrery.yaml": guardRules.replace(", approvals: 1", "") });
    repo.commit("ana", { [quotaPath]: quota(2) });

    expect(await list(repo)).toEqual({ exit: 0, out: "no approvals", notes: "" });
  });
});
