import { inSlices, type Sha256, systemClock } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import type { Compute, DecodedSpec } from "../../compute/index.ts";
import type { Oid, TreeSource } from "../../git/index.ts";
import { assembleSteps, type DesiredTenant, JudgedDags, type TenantInput } from "../../plan/index.ts";
import {
  classifyPath,
  decodeDocument,
  effectiveRepository,
  type Finding,
  isId,
  misplacedPath,
  type RepositorySpec,
  type SiteSpec,
} from "../../spec/index.ts";
import { BlobCache } from "./blob-cache.ts";
import { decodeBlobs, type PlacedBlob } from "./decode-blobs.ts";
import { entryFinding, orUnreadable, readSpecTree, type SpecTree } from "./tenant-tree.ts";

/** What a revision says of the whole site. */
export interface SiteDocuments {
  readonly repository: RepositorySpec;
  /** null: sites/<site>.yaml is missing or does not decode. */
  readonly site: SiteSpec | null;
  /** Tenants that this site runs, in byte order. */
  readonly tenants: readonly string[];
  readonly findings: readonly Finding[];
}

export interface ReadTenant {
  readonly desired: DesiredTenant;
  /** Content of plugin.js and files by SHA-256. */
  content(sha256: string): Buffer | null;
}

/** What revisions are read from: a repository, or a work tree as it stands. */
export interface SpecSource extends TreeSource {
  readCommit(revision: Oid): { readonly tree: Oid };
}

/**
 * What this site knows of a tenant's secrets: by name null = usable, a text = why not; a name that is not there has no
 * value. `age`: the age files of the revision.
 */
export type SiteSecrets = (
  tenant: string,
  age: ReadonlyMap<string, Uint8Array>,
) => Promise<ReadonlyMap<string, string | null>>;

/** What a tenant is assembled from, not yet judged. */
export interface TenantParts {
  readonly input: TenantInput;
  /** Blob of each SHA-256 that the input names. */
  readonly blobs: ReadonlyMap<string, Oid>;
  /** Why the tenant's own folder cannot be read as a whole: nothing of it may count as absent. */
  readonly finding: Finding | null;
}

/** Grows whenever the same trees would be understood in another way. */
const decoderVersion = "2";

const specFolders: ReadonlySet<string> = new Set(["keys", "plugins", "sites", "tenants"]);
const emptyTree: SpecTree = {
  documents: [],
  pluginBytes: new Map<string, string>(),
  files: [],
  secrets: [],
  refused: [],
  blobs: new Map<string, Oid>(),
};

const refusedTree = (path: string, finding: Finding): SpecTree => ({ ...emptyTree, refused: [{ path, finding }] });

/** Reads the desired state out of a revision's trees; what it read once is kept by blob id. */
export class DesiredReader {
  readonly #source: SpecSource;
  readonly #compute: Pick<Compute, "decode">;
  readonly #cache: BlobCache;
  /** Overrides of a quota end. */
  readonly #now: () => Date;
  readonly #secrets: SiteSecrets | null;
  /** By tenant. */
  readonly #judged = new Map<string, JudgedDags>();
  #plugins: { readonly oid: Oid; readonly tree: SpecTree } | null = null;

  /** `secrets`: null where no site is asked, as for lint. */
  constructor(
    source: SpecSource,
    compute: Pick<Compute, "decode">,
    secrets: SiteSecrets | null = null,
    now: () => Date = () => systemClock.now(),
  ) {
    this.#now = now;
    this.#source = source;
    this.#secrets = secrets;
    this.#compute = compute;
    this.#cache = new BlobCache(source);
  }

  /** orrery.yaml and the site's file. An unreadable one is a finding and its defaults do not count: the caller holds. */
  readSite(revision: Oid, site: string): SiteDocuments {
    const { tree } = this.#source.readCommit(revision);
    const root = this.#document(tree, "orrery.yaml");
    const own = this.#document(tree, `sites/${site}.yaml`);
    const findings = [root, own].flatMap((decoded) =>
      decoded === null ? [] : decoded.ok ? decoded.warnings : decoded.findings,
    );
    const repository =
      root?.ok === true && root.document.kind === "Repository" ? root.document.spec : effectiveRepository(null);
    const siteSpec = own?.ok === true && own.document.kind === "Site" ? own.document.spec : null;
    return { repository, site: siteSpec, tenants: this.#tenantsOf(tree, siteSpec), findings };
  }

  /** Tree ids of all that a tenant's applied state is computed from. */
  fingerprint(revision: Oid, tenant: string): string {
    const { tree } = this.#source.readCommit(revision);
    const own = this.#treeAt(tree, `tenants/${tenant}`);
    return `${decoderVersion}:${own ?? "none"}:${this.#treeAt(tree, "plugins") ?? "none"}`;
  }

  async readTenant(revision: Oid, tenant: string, signal: AbortSignal): Promise<ReadTenant> {
    const { input, blobs, finding } = await this.readParts(revision, tenant, signal);
    const hash: Sha256 = sha256;
    const { fingerprint } = input;
    return {
      desired:
        finding === null
          ? await inSlices(assembleSteps(input, hash, this.#judgedOf(tenant)), signal)
          : { kind: "unreadable", tenant, fingerprint, findings: [finding] },
      content: (digest) => {
        const oid = blobs.get(digest);
        return oid === undefined ? null : this.#cache.read(oid);
      },
    };
  }

  #judgedOf(tenant: string): JudgedDags {
    const judged = this.#judged.get(tenant) ?? new JudgedDags();
    this.#judged.set(tenant, judged);
    return judged;
  }

  /** All that `readTenant` judges, for who judges otherwise. */
  async readParts(revision: Oid, tenant: string, signal: AbortSignal): Promise<TenantParts> {
    const { tree } = this.#source.readCommit(revision);
    const own = this.#folder(tree, `tenants/${tenant}`);
    const parts = [this.#sharedPlugins(tree), "code" in own ? emptyTree : own];
    const documents = new Map<string, DecodedSpec>();
    for (const part of parts) {
      for (const [path, decoded] of await this.#decodePart(part, signal)) documents.set(path, decoded);
    }
    const input = {
      tenant,
      fingerprint: this.fingerprint(revision, tenant),
      at: this.#now(),
      documents,
      pluginBytes: new Map(parts.flatMap((part) => [...part.pluginBytes])),
      files: parts.flatMap((part) => part.files),
      secrets: { pinned: "code" in own ? [] : own.secrets, site: await this.#siteSecrets(tenant, own) },
    };
    const blobs = new Map(parts.flatMap((part) => [...part.blobs]));
    return { input, blobs, finding: "code" in own ? own : null };
  }

  async #siteSecrets(tenant: string, own: SpecTree | Finding): Promise<ReadonlyMap<string, string | null> | null> {
    if (this.#secrets === null) return null;
    const age = new Map<string, Uint8Array>();
    if (!("code" in own)) {
      for (const { name, sha256: digest } of own.secrets) {
        const oid = own.blobs.get(digest);
        if (oid !== undefined) age.set(name, this.#cache.read(oid));
      }
    }
    return await this.#secrets(tenant, age);
  }

  /** Every document of the revision, also what no site and no tenant reads, each decoded alone: for lint. */
  async allDocuments(revision: Oid, signal: AbortSignal): Promise<ReadonlyMap<string, DecodedSpec>> {
    const { tree } = this.#source.readCommit(revision);
    const root: SpecTree = { ...emptyTree, ...this.#rootDocuments(tree) };
    const folders = ["plugins", "sites", "tenants"].flatMap((name) => {
      const oid = this.#treeAt(tree, name);
      return oid === null ? [] : [this.#readWhole(oid, name)];
    });
    const decoded = await Promise.all([root, ...folders].map((part) => this.#decodePart(part, signal)));
    return new Map(decoded.flat());
  }

  #rootDocuments(tree: Oid): Pick<SpecTree, "documents" | "refused"> {
    const ours = this.#source
      .readTree(tree)
      .filter(({ name }) => specFolders.has(name) || classifyPath(name) !== null || misplacedPath(name) !== null);
    const refused = ours.flatMap((entry) => {
      const wanted = specFolders.has(entry.name) ? "tree" : "blob";
      const defect = entry.defect ?? (entry.kind === wanted ? null : `a ${entry.kind} where a ${wanted} must be`);
      const finding = entryFinding(entry.name, { ...entry, defect });
      return finding === null ? [] : [{ path: entry.name, finding }];
    });
    const bad = new Set(refused.map(({ path }) => path));
    const documents = ours.filter(({ kind, name }) => kind === "blob" && !bad.has(name));
    return { documents: documents.map(({ name, oid }) => ({ path: name, oid })), refused };
  }

  /** Every tenant folder of the revision, whichever site runs it: for lint. */
  allTenants(revision: Oid): readonly string[] {
    return this.#tenantFolders(this.#source.readCommit(revision).tree);
  }

  #tenantsOf(tree: Oid, site: SiteSpec | null): readonly string[] {
    if (site === null) return [];
    return site.tenants.includes("*") ? this.#tenantFolders(tree) : [...site.tenants].sort();
  }

  #tenantFolders(tree: Oid): readonly string[] {
    const folder = this.#treeAt(tree, "tenants");
    if (folder === null) return [];
    const entries = this.#source
      .readTree(folder)
      .filter(({ kind, defect, name }) => kind === "tree" && defect === null && isId(name));
    return entries.map(({ name }) => name).sort();
  }

  /** Without them the DAGs that name one are held; a failure is not kept, for the objects may still come. */
  #sharedPlugins(tree: Oid): SpecTree {
    const oid = this.#treeAt(tree, "plugins");
    if (oid !== null && this.#plugins?.oid === oid) return this.#plugins.tree;
    const read = this.#folder(tree, "plugins");
    if ("code" in read) return refusedTree("plugins", read);
    if (oid !== null) this.#plugins = { oid, tree: read };
    return read;
  }

  /** All below a folder; empty where it is absent, a finding where something stands there that cannot be read. */
  #folder(tree: Oid, path: string): SpecTree | Finding {
    return orUnreadable(path, () => {
      let at = tree;
      const parts = path.split("/");
      for (const [i, part] of parts.entries()) {
        const entry = this.#source.readTree(at).find(({ name }) => name === part);
        if (entry === undefined) return emptyTree;
        const here = parts.slice(0, i + 1).join("/");
        const defect = entry.defect ?? (entry.kind === "tree" ? null : `a ${entry.kind} where a folder must be`);
        const finding = defect === null ? null : entryFinding(here, { ...entry, defect });
        if (finding !== null) return finding;
        at = entry.oid;
      }
      return readSpecTree(this.#source, this.#cache, at, `${path}/`);
    });
  }

  #readWhole(oid: Oid, path: string): SpecTree {
    const read = orUnreadable(path, () => readSpecTree(this.#source, this.#cache, oid, `${path}/`));
    return "code" in read ? refusedTree(path, read) : read;
  }

  /** Documents at their paths, in that order; what cannot be read is a finding. */
  decode(documents: readonly PlacedBlob[], signal: AbortSignal): Promise<readonly DecodedSpec[]> {
    return decodeBlobs({ cache: this.#cache, compute: this.#compute }, documents, signal);
  }

  async #decodePart(part: SpecTree, signal: AbortSignal): Promise<readonly (readonly [string, DecodedSpec])[]> {
    const answers = await this.decode(part.documents, signal);
    const known = part.documents.flatMap(({ path }, i) => {
      const answer = answers[i];
      return answer === undefined ? [] : [[path, answer] as const];
    });
    return [...known, ...part.refused.map(({ path, finding }) => [path, { ok: false, findings: [finding] }] as const)];
  }

  #document(tree: Oid, path: string) {
    const entry = this.#source.entryAt(tree, path);
    if (entry === null) return null;
    const kindDefect = entry.kind === "blob" ? null : `a ${entry.kind} where a file must be`;
    const finding = entryFinding(path, { ...entry, defect: entry.defect ?? kindDefect });
    const bytes = finding ?? orUnreadable(path, () => this.#source.readBlob(entry.oid));
    return "code" in bytes ? { ok: false as const, findings: [bytes] } : decodeDocument({ path, bytes });
  }

  #treeAt(tree: Oid, path: string): Oid | null {
    const entry = this.#source.entryAt(tree, path);
    return entry?.kind === "tree" && entry.defect === null ? entry.oid : null;
  }
}
