import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sshKeygen } from "../signer/ssh-keygen.ts";
import { orrery, type Ran } from "./cli-fixture.ts";
import {
  guardRules,
  mail,
  type Name,
  openTrustRepository,
  quota,
  quotaPath,
  type TrustRepository,
} from "./trust-fixture.ts";

const show = (repo: TrustRepository, ...args: readonly string[]): Promise<Ran> =>
  orrery("trust", "show", "--repo", repo.dir, ...args);

interface Report {
  readonly at: string;
  readonly keys: readonly { readonly line: number; readonly principal: string; readonly key: string }[];
  readonly rules: readonly { readonly line: number; readonly by: string; readonly who: readonly string[] }[] | null;
  readonly history: readonly {
    readonly commit: string;
    readonly signer: string;
    readonly approvers: readonly string[];
  }[];
  readonly stalled: { readonly commit: string; readonly code: string } | null;
}

const report = async (repo: TrustRepository, ...args: readonly string[]): Promise<Report> =>
  JSON.parse((await show(repo, ...args, "-o", "json")).out) as Report;

describe("orrery trust show", () => {
  it("names each key as ssh-keygen does, each rule with its line and people, and whose commits stand", async () => {
    using repo = openTrustRepository();
    const second = repo.commit("bob", { "docs/b.md": "b" });

    const said = await report(repo);

    const stock = (["ana", "sif", "omar", "bob"] satisfies Name[]).map((person) => {
      const [, key = ""] = sshKeygen(["-l", "-f", `${repo.key(person)}.pub`]).out.split(" ");
      return { principal: mail(person), key };
    });
    expect(said.keys.map(({ principal, key }) => ({ principal, key }))).toEqual(stock);
    expect(said.rules).toMatchObject([
      { line: 7, by: "guards", who: [mail("ana"), mail("sif"), mail("omar")] },
      { line: 8, by: "everyone" },
    ]);
    expect(said.history.map(({ signer }) => signer)).toEqual([mail("ana"), mail("bob")]);
    expect(said).toMatchObject({ at: second, stalled: null });
  });

  it.each<[string, number, (repo: TrustRepository) => string, string]>([
    ["waits for approval", 5, (repo) => repo.commit("ana", { [quotaPath]: quota(2) }), "APPROVALS_MISSING"],
    ["is not theirs to change", 1, (repo) => repo.commit("bob", { [quotaPath]: quota(2) }), "TRUST_AUTHORITY"],
    ["is signed by a stranger", 1, (repo) => repo.commit("eve", { "docs/e.md": "e" }), "TRUST_UNKNOWN_KEY"],
  ])("exits by what becomes of a commit that %s, and shows the rules before it", async (_, exit, commit, code) => {
    using repo = openTrustRepository();
    const good = repo.git("rev-parse", "HEAD");
    const head = commit(repo);

    const shown = await show(repo);

    expect(shown.exit).toBe(exit);
    expect(shown.out).toContain(`at ${good}: commits require, merges firstParent`);
    expect(shown.out).toMatch(new RegExp(`${head.slice(0, 12)}  ORY40\\d\\d ${code} `));
  });

  it("of another commit, or only the last ones, shows those", async () => {
    using repo = openTrustRepository();
    const first = repo.git("rev-parse", "HEAD");
    repo.commit("bob", { "docs/b.md": "b" });
    const last = repo.commit("sif", { "docs/c.md": "c" });

    expect((await report(repo, "--at", "HEAD~2")).at).toBe(first);
    expect((await report(repo, "--last", "1")).history.map(({ commit }) => commit)).toEqual([last]);
  });

  it("checks the first commit with a pinned file: another person's trusts nothing", async () => {
    using repo = openTrustRepository();
    const pinned = (person: Name): string => {
      const file = repo.home.join(`${person}.signers`);
      writeFileSync(file, repo.signer(person));
      return file;
    };

    expect((await show(repo, "--signers", pinned("ana"))).exit).toBe(0);
    const other = await show(repo, "--signers", pinned("eve"));

    expect(other.exit).toBe(1);
    expect(other.out).toContain("TRUST_FIRST_USE");
  });

  it("says so where everyone may change everything, and where a group has nobody", async () => {
    using open = openTrustRepository({ "orrery.yaml": "apiVersion: orrery/v1\nkind: Repository\nspec: {}\n" });
    expect((await show(open)).out).toContain("no trust.paths: everyone may change everything");

    using empty = openTrustRepository({
      "orrery.yaml": guardRules
        .replace("groups: {", "groups: { away: [kai@acme.example],")
        .replace("    paths:\n", '    paths:\n      - { match: "sites/**", by: away }\n'),
    });
    expect((await show(empty)).out).toMatch(/sites\/\*\* +0 +away: nobody with a key/);
  });
});
