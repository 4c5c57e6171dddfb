import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRepository, toOid } from "../../../src/git/index.ts";
import { trustReader } from "../../../src/reconciler/index.ts";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import { type PolicyRead, type TrustWalk, walkTrust } from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";
import { type ScratchDir, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";
import { stockKey } from "../signer/ssh-keygen.ts";

// Stock git merges, stock ssh-keygen's keys sign; what a clean merge is, git says.

const policy: PolicyRead = {
  kind: "policy",
  policy: { commits: "require", merges: "firstParent", groups: {}, paths: null, forges: ["forge"] },
  ruleLines: [],
};
const names = ["a", "b", "c", "d/e", "d/f"] as const;

let scratch: ScratchDir;
let dir: string;
let root: string;

const git = (...args: readonly string[]): string => stockGit(dir, args);
const signingAs = (who: string): readonly string[] => [
  "-c",
  "gpg.format=ssh",
  "-c",
  `user.signingKey=${scratch.join(who)}`,
];
const commit = (who: string, message: string): string => {
  git("add", "-A");
  git(...signingAs(who), "commit", "-q", "-S", "--allow-empty", "-m", message);
  return git("rev-parse", "HEAD");
};

beforeAll(() => {
  scratch = scratchDir();
  dir = stockRepository(scratch.join("repo"));
  const lines = ["ana", "forge"].map((who) => {
    stockKey(scratch.join(who), { comment: who });
    return `${who} ${readFileSync(scratch.join(`${who}.pub`), "utf8")}`;
  });
  for (const folder of ["keys", "d"]) mkdirSync(join(dir, folder));
  writeFileSync(join(dir, "keys", "spec_signers"), lines.join(""));
  for (const name of names) writeFileSync(join(dir, name), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  root = commit("ana", "root");
});

afterAll(() => scratch[Symbol.dispose]());

function walk(head: string): TrustWalk {
  using repository = openRepository(dir);
  return walkTrust({
    ...trustReader(repository),
    ...{ verified: { commit: root }, head, pinnedSigners: null, now: new Date(), crypto: nodeTrustCrypto },
    readCommit: (oid) => repository.readCommit(toOid(oid)),
    readPolicy: () => policy,
  });
}

/** Line 1 or line 9 of a file becomes another, or the file goes. */
const edit = fc.record({
  name: fc.constantFrom(...names),
  how: fc.constantFrom("first", "last", "gone"),
  to: fc.nat(1),
});
type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never;

function branch(from: string, edits: readonly Edit[]): string {
  git("checkout", "-q", "--detach", from);
  for (const { name, how, to } of edits) {
    const file = join(dir, name);
    if (how === "gone") rmSync(file, { force: true });
    else
      writeFileSync(
        file,
        `${how === "first" ? `x${String(to)}` : "1"}\n2\n3\n4\n5\n6\n7\n8\n${how === "last" ? `x${String(to)}` : "9"}\n`,
      );
  }
  return commit("ana", "work");
}

const changedIn = (from: string, to: string): ReadonlyMap<string, string> =>
  new Map(
    git("diff", "--raw", "--no-renames", "--abbrev=40", from, to)
      .split("\n")
      .filter(Boolean)
      .map((row) => [row.split("\t")[1] ?? "", row.split(" ")[3] ?? ""]),
  );

/** Git's merge of the two where no file was changed by both, each in another way; else null. */
function cleanTree(ours: string, theirs: string): string | null {
  const [byUs, byThem] = [changedIn(root, ours), changedIn(root, theirs)];
  if ([...byUs].some(([name, blob]) => byThem.has(name) && byThem.get(name) !== blob)) return null;
  return git("-c", "merge.renames=false", "merge-tree", "--write-tree", ours, theirs).split("\n")[0] ?? null;
}

const mergeOf = (tree: string, ours: string, theirs: string): string =>
  git(...signingAs("forge"), "commit-tree", "-S", "-p", ours, "-p", theirs, "-m", "merge", tree);

/** The tree with one file more. */
function withMore(tree: string): string {
  git("read-tree", tree);
  git("update-index", "--add", "--cacheinfo", `100644,${git("rev-parse", `${root}:a`)},more`);
  const made = git("write-tree");
  git("reset", "-q", "--hard");
  return made;
}

describe("a merge that a forge signed, of two branches of stock git", () => {
  it("stands exactly where it is git's own merge and no file was changed by both sides", () => {
    const seen = { clean: 0, both: 0 };
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 2 }), fc.array(edit, { minLength: 1, maxLength: 2 }), (main, side) => {
        const [ours, theirs] = [branch(root, main), branch(root, side)];
        const tree = cleanTree(ours, theirs);
        if (tree === null) {
          seen.both++;
          const taken = mergeOf(git("rev-parse", `${theirs}^{tree}`), ours, theirs);
          expect(walk(taken)).toMatchObject({ verified: { oid: ours }, stalled: { code: "TRUST_FORGE" } });
          return;
        }
        seen.clean++;
        const merge = mergeOf(tree, ours, theirs);
        expect(walk(merge)).toMatchObject({ verified: { oid: merge }, stalled: null });
        // Another tree under the same parents is never the forge's to make.
        for (const other of [root, ours, theirs]
          .map((oid) => git("rev-parse", `${oid}^{tree}`))
          .filter((oid) => oid !== tree))
          expect(walk(mergeOf(other, ours, theirs)).verified?.oid).toBe(ours);
        expect(walk(mergeOf(withMore(tree), ours, theirs)).verified?.oid).toBe(ours);
      }),
      { numRuns: rounds(12, 300) },
    );
    expect(seen.clean).toBeGreaterThan(0);
  }, 120_000);

  it("is refused where git merged the lines of a file, or followed a rename: that depends on who merges", () => {
    const [first, last] = [
      branch(root, [{ name: "a", how: "first", to: 0 }]),
      branch(root, [{ name: "a", how: "last", to: 0 }]),
    ];
    git("checkout", "-q", "--detach", first);
    git(...signingAs("forge"), "merge", "-q", "-S", "--no-ff", "-m", "merge", last);
    const lines = git("rev-parse", "HEAD");
    git("checkout", "-q", "--detach", root);
    git("mv", "a", "renamed");
    const moved = commit("ana", "rename");
    git(...signingAs("forge"), "merge", "-q", "-S", "--no-ff", "-m", "merge", last);
    const followed = git("rev-parse", "HEAD");

    expect(git("show", `${followed}:renamed`)).toContain("x0");
    expect(walk(lines)).toMatchObject({ verified: { oid: first }, stalled: { code: "TRUST_FORGE" } });
    expect(walk(followed)).toMatchObject({ verified: { oid: moved }, stalled: { code: "TRUST_FORGE" } });
  });

  it("is refused as a revert of its merge, as an edit, as an octopus, and as a merge of unrelated histories", () => {
    const side = branch(root, [{ name: "b", how: "first", to: 1 }]);
    const other = branch(root, [{ name: "c", how: "first", to: 1 }]);
    const main = branch(root, [{ name: "d/e", how: "gone", to: 0 }]);
    const merge = mergeOf(cleanTree(main, side) ?? "", main, side);
    const tree = (oid: string): string => git("rev-parse", `${oid}^{tree}`);
    const one = (of: string, ...parents: readonly string[]): string =>
      git(...signingAs("forge"), "commit-tree", "-S", ...parents.flatMap((oid) => ["-p", oid]), "-m", "x", tree(of));
    const stranger = git(...signingAs("ana"), "commit-tree", "-S", "-m", "unrelated", tree(side));

    for (const [made, code] of [
      [one(main, merge), "APPROVALS_MISSING"],
      [one(side, merge), "APPROVALS_MISSING"],
      [one(merge, merge, other, side), "TRUST_FORGE"],
      [one(merge, merge, stranger), "TRUST_FORGE"],
    ] as const)
      expect(walk(made)).toMatchObject({ verified: { oid: merge }, stalled: { code } });
  });
});
