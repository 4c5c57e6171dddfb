import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/base/index.ts";
import {
  createGitWriter,
  createRepository,
  encodeCommit,
  type GitObject,
  graftTree,
  hashObject,
  type Oid,
  openRepository,
  signedCommit,
  toOid,
} from "../../src/git/index.ts";
import { type SigningKey, signSshsig } from "../../src/signer/index.ts";
import { publicKeyLine } from "../../src/trust/index.ts";
import { recorderKey, specKey } from "./audit-fixtures.ts";

/** Files by path; null takes one away. */
export type FileChanges = Readonly<Record<string, string | Buffer | null>>;

export interface CommitOptions {
  readonly message?: string;
  /** null leaves the commit unsigned. */
  readonly key?: SigningKey | null;
  /** Instead of the head: a forced push. */
  readonly parent?: string | null;
}

const signer = "ana@acme.example";
const examplePlugins = fileURLToPath(new URL("../../specs-example/plugins", import.meta.url));

/** A bare spec repository whose commits are written and signed by our own code: no process a commit. */
export class SpecCommits {
  readonly dir: string;
  readonly ref = "refs/heads/main";
  readonly #clock: Pick<Clock, "now">;
  #files: Map<string, Buffer>;

  private constructor(dir: string, clock: Pick<Clock, "now">, files: Map<string, Buffer>) {
    this.dir = dir;
    this.#clock = clock;
    this.#files = files;
  }

  /** With orrery.yaml, signers, the site's file and the core plugins; `files` come on top, all in the first commit. */
  static async create(
    dir: string,
    {
      clock,
      site,
      recorder,
      files,
    }: { clock: Pick<Clock, "now">; site: string; recorder?: string; files: FileChanges },
  ): Promise<SpecCommits> {
    const commits = new SpecCommits(dir, clock, new Map());
    const all = applied(new Map(), { ...baseFiles(site, recorder ?? publicKeyLine(recorderKey.blob)), ...files });
    const { commit, objects } = commits.#make(all, null, {});
    await createRepository(dir, { bare: true, head: commits.ref, first: { commit, objects } });
    commits.#files = all;
    return commits;
  }

  get head(): string {
    return readFileSync(join(this.dir, this.ref), "utf8").trim();
  }

  /** Writes a commit and moves the branch to it. */
  async commit(changes: FileChanges, options: CommitOptions = {}): Promise<string> {
    const files = applied(this.#files, changes);
    const { commit, objects } = this.#make(files, options.parent === undefined ? this.head : options.parent, options);
    using repository = openRepository(this.dir);
    await createGitWriter(repository).putObjects(objects);
    this.move(commit);
    this.#files = files;
    return commit;
  }

  /** Points the branch elsewhere, as a forced push does. */
  move(commit: string): void {
    const file = join(this.dir, this.ref);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${commit}\n`);
    renameSync(`${file}.new`, file);
  }

  /** Takes the branch away. */
  remove(): void {
    rmSync(join(this.dir, this.ref));
  }

  #make(
    files: ReadonlyMap<string, Buffer>,
    parent: string | null,
    { key = specKey, message = "change" }: CommitOptions,
  ): { readonly commit: Oid; readonly objects: readonly GitObject[] } {
    const { root, objects } = graftTree({ readTree: () => [] }, null, files);
    const seconds = Math.floor(this.#clock.now().getTime() / 1000);
    const ident = { name: "Ana", email: signer, seconds, offset: "+0000" };
    const parents = parent === null ? [] : [toOid(parent)];
    const payload = encodeCommit({ tree: root, parents, author: ident, committer: ident, message: `${message}\n` });
    const body = key === null ? payload : signedCommit(payload, signSshsig(key, "git", payload));
    return { commit: hashObject("commit", body), objects: [...objects, { type: "commit", body }] };
  }
}

function applied(before: ReadonlyMap<string, Buffer>, changes: FileChanges): Map<string, Buffer> {
  const after = new Map(before);
  for (const [path, content] of Object.entries(changes)) {
    if (content === null) after.delete(path);
    else after.set(path, Buffer.from(content));
  }
  return after;
}

const headOf = (kind: string): string => `apiVersion: orrery/v1\nkind: ${kind}\nspec:\n`;

function baseFiles(site: string, recorder: string): FileChanges {
  return {
    "orrery.yaml": `${headOf("Repository")}  trust: { commits: require }\n  brakes: { prunePercent: 100 }\n`,
    "keys/spec_signers": `${signer} namespaces="git" ${publicKeyLine(specKey.blob)}\n`,
    [`sites/${site}.yaml`]: siteFile(recorder),
    ...corePlugins(),
  };
}

export const siteFile = (recorder: string): string =>
  `${headOf("Site")}  tenants: ["*"]\n  audit:\n    keys: [{ key: "${recorder}", from: 1 }]\n`;

function corePlugins(): FileChanges {
  const names = readdirSync(examplePlugins, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.startsWith("core."),
  );
  const files = names.filter((name) => statSync(join(examplePlugins, name)).isFile());
  return Object.fromEntries(files.map((name) => [`plugins/${name}`, readFileSync(join(examplePlugins, name))]));
}

export interface TenantOptions {
  /** Lines below `spec:` of quota.yaml. */
  readonly quota?: string;
  /** Further patterns beside core.*. */
  readonly plugins?: readonly string[];
}

/** tenant.yaml, quota.yaml (schedules down to a second) and allowlist.yaml of a tenant. */
export function tenantFiles(tenant: string, { quota = "", plugins = [] }: TenantOptions = {}): FileChanges {
  const granted = ["core.*", ...plugins].map((name) => `    - { name: "${name}", versions: ["1.x"] }\n`).join("");
  return {
    [`tenants/${tenant}/tenant.yaml`]: `${headOf("Tenant")}  owners: [${signer}]\n`,
    [`tenants/${tenant}/quota.yaml`]: `${headOf("Quota")}  minInterval: 1s\n${quota}`,
    [`tenants/${tenant}/allowlist.yaml`]: `${headOf("Allowlist")}  plugins:\n${granted}`,
  };
}

export const dagPath = (tenant: string, dagId: string): string => `tenants/${tenant}/dags/${dagId}.yaml`;

/** A Dag document: `spec` as JSON is YAML too. */
export const dagText = (spec: Readonly<Record<string, unknown>>): string =>
  `${headOf("Dag").replace(/spec:\n$/, "")}spec: ${JSON.stringify({ rationale: "a test", ...spec })}\n`;

export const logStep = (message = "hello", rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  uses: "core.log@1.0.0",
  with: { message },
  ...rest,
});
