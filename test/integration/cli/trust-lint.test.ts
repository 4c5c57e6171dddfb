import { describe, expect, it } from "vitest";
import { orrery } from "./cli-fixture.ts";
import { guardRules, mail, openTrustRepository, publicKey, type TrustRepository } from "./trust-fixture.ts";

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly path: string;
  readonly line: number;
  readonly col: number;
  readonly message: string;
}

/** What lint says of orrery.yaml and keys/spec_signers, as `path:line:col severity CODE`; the exit code. */
async function trustFindingsOf(repo: TrustRepository, ref?: string) {
  const of = ref === undefined ? [] : ["--ref", ref];
  const { exit, out } = await orrery("lint", repo.dir, ...of, "-o", "json");
  const { findings } = JSON.parse(out) as { readonly findings: readonly Found[] };
  const own = findings.filter(({ code }) => code.startsWith("TRUST_"));
  return {
    exit,
    places: own.map(({ path, line, col, severity, code }) => `${path}:${line}:${col} ${severity} ${code}`),
    messages: own.map(({ message }) => message),
    /** The text at each place, to the end of its word. */
    words: own.map(({ path, line, col }) => {
      const text = repo.git("show", `${ref ?? "HEAD"}:${path}`).split("\n")[line - 1] ?? "";
      return /^[^\s,\]}=]*/u.exec(text.slice(col - 1))?.[0];
    }),
  };
}

const everybody = ["ana", "sif", "omar", "bob"] as const;

describe("orrery lint of who may sign and approve", () => {
  it("finds nothing in rules that their groups can satisfy", async () => {
    using repo = openTrustRepository();

    expect(await trustFindingsOf(repo)).toMatchObject({ exit: 0, places: [] });
  });

  it("points at the `by` of a rule whose group has nobody with a key", async () => {
    const rules = guardRules
      .replace("groups: {", "groups: { away: [kai@acme.example],")
      .replace("    paths:\n", '    paths:\n      - { match: "sites/**", by: away }\n');
    using repo = openTrustRepository({ "orrery.yaml": rules });

    const found = await trustFindingsOf(repo);

    expect(found).toMatchObject({
      exit: 1,
      places: ["orrery.yaml:5:22 warning TRUST_RULE", "orrery.yaml:7:34 error TRUST_LOCKOUT"],
      words: ["kai@acme.example", "away"],
    });
    expect(found.messages[1]).toMatch(/of away \(kai@acme.example\): too few have a key/);
  });

  it("points at the `by` of a rule that wants more approvals than there are people", async () => {
    using repo = openTrustRepository({ "orrery.yaml": guardRules.replace("approvals: 1", "approvals: 3") });

    const found = await trustFindingsOf(repo);

    expect(found).toMatchObject({ exit: 1, places: ["orrery.yaml:7:46 error TRUST_LOCKOUT"], words: ["guards"] });
    expect(found.messages[0]).toContain("needs one to sign and 3 more to approve");
  });

  it("points at rules after which nobody could change the keys", async () => {
    using repo = openTrustRepository({ "orrery.yaml": guardRules.replace('"**"', '"docs/**"') });

    const found = await trustFindingsOf(repo);

    expect(found).toMatchObject({ exit: 1, places: ["orrery.yaml:7:7 error TRUST_LOCKOUT"] });
    expect(found.messages[0]).toContain("no rule matches keys/spec_signers");
  });

  it("points at a member, in the order of the file, and at a forge without a key", async () => {
    const rules = guardRules
      .replace("[ana@", "[zoe@acme.example, ana@")
      .replace("    paths:\n", "    forges: [forge@acme.example]\n    paths:\n");
    using repo = openTrustRepository({ "orrery.yaml": rules });

    expect(await trustFindingsOf(repo)).toMatchObject({
      exit: 0,
      places: ["orrery.yaml:5:24 warning TRUST_RULE", "orrery.yaml:6:14 warning TRUST_RULE"],
      words: ["zoe@acme.example", "forge@acme.example"],
    });
  });

  it("points at rules that stop nobody", async () => {
    const rules = guardRules.replace("  trust:\n", "  trust:\n    commits: warn\n");
    using repo = openTrustRepository({ "orrery.yaml": rules });

    expect(await trustFindingsOf(repo)).toMatchObject({
      places: ["orrery.yaml:5:14 warning TRUST_RULE"],
      words: ["warn"],
    });
  });

  it("points at the word of keys/spec_signers that does not do what it seems to", async () => {
    using repo = openTrustRepository();
    const lines = everybody.map((person) => repo.signer(person));
    const twice = `carl@acme.example ${publicKey(repo.key("bob"))}\n`;
    const dated = repo.signer("sif").replace("namespaces=", 'valid-before="20300101Z",namespaces=');
    repo.commit("ana", {
      "keys/spec_signers": `# who may sign\n${lines[0] ?? ""}${dated}${lines.slice(2).join("")}  ${twice}`,
    });

    const found = await trustFindingsOf(repo);

    expect(found).toMatchObject({
      exit: 0,
      places: [
        `keys/spec_signers:3:${String(mail("sif").length + 2)} warning TRUST_SIGNERS_FILE`,
        "keys/spec_signers:6:3 warning TRUST_SIGNERS_FILE",
      ],
      words: ["valid-before", "carl@acme.example"],
    });
    expect(found.messages[1]).toContain("bob@acme.example share a key");
  });

  it("shows the frame with the caret at the word, and who may change the rule", async () => {
    using repo = openTrustRepository({ "orrery.yaml": guardRules.replace("approvals: 1", "approvals: 3") });

    const { exit, out } = await orrery("lint", repo.dir);

    expect(exit).toBe(1);
    const lines = out.split("\n");
    const frame = lines.findIndex((line) => line.includes('7 |       - { match: "tenants/*/quota.yaml"'));
    expect(lines[frame + 1]?.indexOf("^")).toBe(lines[frame]?.indexOf("guards"));
  });

  it("is what the daemon refuses: the commit that locks out stalls by the same code", async () => {
    using repo = openTrustRepository();
    const locked = repo.commit("ana", { "orrery.yaml": guardRules.replace("approvals: 1", "approvals: 3") });

    const shown = await orrery("trust", "show", "--repo", repo.dir);

    expect(shown.exit).toBe(1);
    expect(shown.out).toMatch(new RegExp(`${locked.slice(0, 12)} +ORY4006 TRUST_LOCKOUT`));
    expect((await trustFindingsOf(repo, "main")).places).toEqual(["orrery.yaml:7:46 error TRUST_LOCKOUT"]);
  });
});
