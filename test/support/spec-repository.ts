import { execFile, execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CliResult, orrery } from "./built-cli.ts";
import { isConfinable } from "./confinable.ts";
import { gitEnvironment } from "./git-fixtures.ts";
import { until } from "./until.ts";

/** A spec repository of `orrery init`, the clone that its last lines tell to make, and a data directory, all in one folder. */
export interface SpecRepository extends Disposable {
  readonly root: string;
  /** Bare. */
  readonly repository: string;
  readonly work: string;
  readonly dataDir: string;
  readonly personKey: string;
  /** Of the recorder's key, outside of the repository. */
  readonly auditSigners: string;
  readonly made: CliResult;
  /** Writes files into the clone and commits them, signed unless `how` says otherwise; the commit's id. null removes a file. */
  commit(files: SpecFiles, message: string, how?: SignedBy): Promise<string>;
  push(...options: readonly string[]): Promise<void>;
  /** Stock git in the clone. */
  git(...args: readonly string[]): Promise<string>;
  /** Stock git in the bare repository. */
  bareGit(...args: readonly string[]): Promise<string>;
  /** `orrery lint -o json` of the clone as it stands. */
  lint(): Promise<CliResult>;
  /** The records on the audit branch, read by stock git, as lines. */
  recordLines(): Promise<readonly string[]>;
  /** The first record on the audit branch, now or later, that `matches`. */
  recorded(matches: (record: RecordLine) => boolean): Promise<RecordLine>;
}

export type SpecFiles = Readonly<Record<string, string | null>>;
/** A private key's file; "nobody" leaves the commit unsigned. */
export type SignedBy = { readonly key: string } | "nobody";

export interface AttemptLine {
  readonly index: number;
  readonly attempt: number;
  readonly status: string;
  readonly code?: string;
  readonly class?: string;
  readonly stepHash: string;
  readonly stepKey: string;
}

/** What these tests read of a record. */
export interface RecordLine {
  readonly recordId: string;
  readonly tenant: string;
  readonly kind: string;
  readonly seq: number;
  readonly dagId?: string;
  readonly runId?: string;
  readonly runNo?: number;
  readonly status?: string;
  readonly code?: string;
  readonly class?: string;
  readonly runToken?: string;
  readonly outputsHash?: string;
  readonly inputsHash?: string;
  readonly policyRevision?: string;
  readonly dagVersion?: { readonly commit: string; readonly specHash: string };
  readonly trigger?: { readonly kind: string; readonly key: string };
  readonly actor: { readonly kind: string; readonly subject: string };
  readonly rationale?: readonly { readonly source: string; readonly text: string }[];
  readonly to?: string;
  readonly steps?: readonly {
    readonly stepId: string;
    readonly status: string;
    readonly outputsHash: string | null;
    readonly attempts: readonly AttemptLine[];
  }[];
}

export const testSite = "local";
export const auditRef = `refs/heads/audit/${testSite}`;
export const person = "ana@acme.example";

const examplePlugins = fileURLToPath(new URL("../../specs-example/plugins", import.meta.url));
const execFileAsync = promisify(execFile);

/** Runs a program beside the test: what it talks to may live in this process. Its standard output without the last line's end. */
async function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  // A commit must not be dated before its parent: now, as a person's git would.
  const seconds = `${String(Math.floor(Date.now() / 1000))} +0000`;
  const env = gitEnvironment({ GIT_AUTHOR_DATE: seconds, GIT_COMMITTER_DATE: seconds });
  const { stdout } = await execFileAsync(file, [...args], { cwd, env, maxBuffer: 1 << 28 });
  return stdout.replace(/\n$/u, "");
}

/** A new ed25519 key of stock ssh-keygen; its file. */
export function makePersonKey(file: string, comment: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
  return file;
}

/** The line of `<key>.pub`. */
export const publicKeyOf = (key: string): string => readFileSync(`${key}.pub`, "utf8").trim();

/** A folder of this test alone, open to the database's user, gone with its scope. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "orrery-e2e-"));
  chmodSync(folder, 0o755);
  return folder;
}

export async function createSpecRepository(): Promise<SpecRepository> {
  const root = testFolder();
  try {
    return await makeIn(root);
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

async function makeIn(root: string): Promise<SpecRepository> {
  const place = { root, repository: join(root, "specs.git"), dataDir: join(root, "data") };
  const personKey = makePersonKey(join(root, "ana_key"), person);
  const init = ["init", place.repository, "--site", testSite, "--data", place.dataDir, "--key", personKey];
  const made = await orrery(init, { cwd: root });
  if (made.exit !== 0) throw new Error(`orrery init: ${made.stderr}`);
  const weak = isConfinable();
  // What these tests are about holds at every level; a machine without namespaces shows it at the weaker one.
  if (weak !== null)
    appendFileSync(join(place.dataDir, "config.yaml"), `sandbox: { allowWeak: { level: process, reason: ${weak} } }\n`);
  await run("sh", ["-ec", cloneCommands(made.stdout)], root);
  const auditSigners = join(root, "audit_signers");
  writeFileSync(auditSigners, auditSignersLine(place.dataDir));
  return specRepository({ ...place, work: join(root, "specs-work"), personKey, auditSigners, made });
}

/** What `init` tells a person to type, from its clone on. */
function cloneCommands(said: string): string {
  const lines = said.split("\n").map((line) => line.trim());
  return lines.slice(lines.findIndex((line) => line.startsWith("git clone "))).join("\n");
}

/** As docs/auditor.md describes it. */
function auditSignersLine(dataDir: string): string {
  const [type = "", key = ""] = readFileSync(join(dataDir, "signer", "recorder.key.pub"), "utf8").split(" ");
  return `audit@${testSite} namespaces="git,orrery-checkpoint" ${type} ${key.trim()}\n`;
}

type Place = Pick<SpecRepository, "root" | "repository" | "work" | "dataDir" | "personKey" | "auditSigners" | "made">;

function specRepository(place: Place): SpecRepository {
  const { root, repository, work } = place;
  const git = (...args: readonly string[]): Promise<string> => run("git", args, work);
  const bareGit = (...args: readonly string[]): Promise<string> => run("git", args, repository);
  const recordLines = (): Promise<readonly string[]> => recordLinesOf(repository);
  return {
    ...place,
    ...{ git, bareGit, recordLines },
    commit: async (files, message, how) => {
      writeFiles(work, files);
      await git("add", "--all");
      const settings = how === undefined || how === "nobody" ? [] : ["-c", `user.signingkey=${how.key}`];
      const sign = how === "nobody" ? "--no-gpg-sign" : "-S";
      await git(...settings, "commit", "-q", "--allow-empty", sign, "-m", message);
      return git("rev-parse", "HEAD");
    },
    lint: () => orrery(["lint", work, "-o", "json"]),
    push: async (...options) => {
      await git("push", "-q", ...options, "origin", "HEAD:main");
    },
    recorded: (matches) => recordedIn(repository, matches),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function writeFiles(dir: string, files: SpecFiles): void {
  for (const [path, text] of Object.entries(files)) {
    const full = join(dir, path);
    mkdirSync(dirname(full), { recursive: true });
    if (text === null) rmSync(full);
    else writeFileSync(full, text);
  }
}

/** Records of a repository's audit branch in the byte order of their files; none where there is no branch yet. */
export async function recordLinesOf(repository: string): Promise<readonly string[]> {
  const found = await run("git", ["for-each-ref", auditRef], repository);
  if (found === "") return [];
  const names = await run("git", ["ls-tree", "-r", "--name-only", auditRef, "records"], repository);
  const files = await Promise.all(
    names.split("\n").map((name) => run("git", ["cat-file", "blob", `${auditRef}:${name}`], repository)),
  );
  return files.flatMap((text) => text.split("\n"));
}

const sealMs = 60_000;

/** Looks again whenever the branch has moved: a ref sends no signal to who only reads it. */
export async function recordedIn(repository: string, matches: (record: RecordLine) => boolean): Promise<RecordLine> {
  let seen = "";
  let found: RecordLine | null = null;
  await until(async () => {
    const head = await run("git", ["for-each-ref", "--format=%(objectname)", auditRef], repository);
    if (head === seen) return false;
    seen = head;
    const records = (await recordLinesOf(repository)).map((line) => JSON.parse(line) as RecordLine);
    found = records.find(matches) ?? null;
    return found !== null;
  }, sealMs);
  return found as unknown as RecordLine;
}

/** The three files that a tenant needs; schedules down to one second, all core plugins. */
export function tenantFiles(tenant: string, grants = ""): SpecFiles {
  const head = (kind: string): string => `apiVersion: orrery/v1\nkind: ${kind}\nspec:\n`;
  return {
    [`tenants/${tenant}/tenant.yaml`]: `${head("Tenant")}  owners: [${person}]\n`,
    [`tenants/${tenant}/quota.yaml`]: `${head("Quota")}  minInterval: 1s\n`,
    [`tenants/${tenant}/allowlist.yaml`]: `${head("Allowlist")}  plugins:\n    - { name: "core.*", versions: ["1.x"] }\n${grants}`,
  };
}

/** The text of a DAG from the lines below `spec`. */
export const dagText = (...spec: readonly string[]): string =>
  [
    "apiVersion: orrery/v1",
    "kind: Dag",
    "spec:",
    "  rationale: An end-to-end test.",
    ...spec.map((line) => `  ${line}`),
    "",
  ].join("\n");

export const dagPath = (tenant: string, dagId: string): string => `tenants/${tenant}/dags/${dagId}.yaml`;

/** Puts a shipped plugin, which `init` leaves out, into the clone. */
export function addPlugin({ work }: Pick<SpecRepository, "work">, name: string): void {
  cpSync(join(examplePlugins, name), join(work, "plugins", name), { recursive: true });
}
