import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ScratchDir, scratchDir, stockGit, stockGitBytes, stockRepository } from "../../support/git-fixtures.ts";
import { stockKey } from "../signer/ssh-keygen.ts";
import { nobodysEnvironment } from "./cli-fixture.ts";

/** Bob has a key and belongs to no group; Eve has none that counts. */
const people = ["ana", "sif", "omar", "bob", "eve"] as const;
export type Name = (typeof people)[number];

export const mail = (person: Name): string => `${person}@acme.example`;
export const quotaPath = "tenants/acme/quota.yaml";
export const quota = (runs: number): string =>
  `apiVersion: orrery/v1\nkind: Quota\nspec: { runs: { maxConcurrent: ${String(runs)} } }\n`;

/** Quotas need two of three guards; the rule stands in line 7. */
export const guardRules = `apiVersion: orrery/v1
kind: Repository
spec:
  trust:
    groups: { guards: [ana@acme.example, sif@acme.example, omar@acme.example] }
    paths:
      - { match: "tenants/*/quota.yaml", by: guards, approvals: 1 }
      - { match: "**", by: everyone }
`;

/** A work tree of stock git in which people sign with keys of stock ssh-keygen; HOME is empty but for this. */
export interface TrustRepository extends Disposable {
  readonly home: ScratchDir;
  readonly dir: string;
  /** Path of a private key. */
  key(person: Name): string;
  /** The line of keys/spec_signers that lets somebody sign commits and approvals. */
  signer(person: Name, namespaces?: string): string;
  /** Writes files (null removes one) and commits them on what is checked out, signed; its id. */
  commit(person: Name, files: Readonly<Record<string, string | null>>): string;
  git(...args: readonly string[]): string;
  /** Full names below refs/orrery/approvals/. */
  approvals(): readonly string[];
  blob(ref: string): Buffer;
}

export function openTrustRepository(files: Readonly<Record<string, string>> = {}): TrustRepository {
  const home = scratchDir();
  const environment = nobodysEnvironment(home);
  const dir = stockRepository(home.join("specs"));
  const key = (person: Name): string => home.join(person);
  for (const person of people) stockKey(key(person), { comment: mail(person) });
  const signer = (person: Name, namespaces = "git,orrery-approval"): string =>
    `${mail(person)} namespaces="${namespaces}" ${publicKey(key(person))}\n`;
  const git = (...args: readonly string[]): string => stockGit(dir, args);
  const commit = (person: Name, changes: Readonly<Record<string, string | null>>): string => {
    for (const [path, text] of Object.entries(changes)) {
      if (text === null) git("rm", "-q", path);
      else writeAt(join(dir, path), text);
    }
    git("add", "-A");
    const env = Object.fromEntries(["AUTHOR", "COMMITTER"].map((as) => [`GIT_${as}_EMAIL`, mail(person)]));
    const signing = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${key(person)}`];
    stockGit(dir, [...signing, "commit", "-q", "-S", "--allow-empty", "-m", "change"], { env });
    return git("rev-parse", "HEAD");
  };
  const first = people.filter((person) => person !== "eve").map((person) => signer(person));
  commit("ana", { "orrery.yaml": guardRules, "keys/spec_signers": first.join(""), [quotaPath]: quota(1), ...files });
  return {
    ...{ home, dir, key, signer, commit, git },
    approvals: () => git("for-each-ref", "--format=%(refname)", "refs/orrery/approvals/").split("\n").filter(Boolean),
    blob: (ref) => stockGitBytes(dir, ["cat-file", "blob", ref]),
    [Symbol.dispose]: () => {
      environment[Symbol.dispose]();
      home[Symbol.dispose]();
    },
  };
}

export const publicKey = (key: string): string =>
  readFileSync(`${key}.pub`, "utf8").split(" ").slice(0, 2).join(" ").trim();

function writeAt(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
