import type { Steps } from "../../base/index.ts";
import { type Oid, type TreeEntry, toOid } from "../../git/index.ts";
import { classifyPath, decodeDocument, isId, type SiteSpec } from "../../spec/index.ts";
import type { SpecSource } from "./desired-reader.ts";
import { orUnreadable } from "./tenant-tree.ts";

/** A Dag document whose content stands at its path since `commit`, which may have stood there earlier too. */
export interface IntroducedDag {
  readonly tenant: string;
  readonly dagId: string;
  readonly path: string;
  readonly blob: Oid;
  readonly commit: string;
}

export interface HistoryPart {
  /** The verified revision that it follows; null: the first commit of `commits` is the site's first. */
  readonly base: string | null;
  /** Along first parents, oldest first. */
  readonly commits: readonly string[];
  readonly site: string;
  /** Tenants that ever ran here. */
  readonly tenants: readonly string[];
}

export type HistorySource = Pick<SpecSource, "readBlob" | "readCommit" | "readTree">;

/**
 * Which commit brought in each content of each Dag of this site's tenants, in the order of the commits; for a tenant that
 * begins to run here, the commit that says so. Says the same however the history is cut into parts, since a part knows
 * all that the one before it left: its tenants and its last tree. Reads what changed and nothing else; pauses at each
 * commit. What cannot be read brings nothing in.
 */
export function* introducedDags(source: HistorySource, part: HistoryPart): Steps<readonly IntroducedDag[]> {
  const reading: Reading = { source, site: part.site, siteSpecs: new Map() };
  const runs = new Set(part.tenants);
  const found: IntroducedDag[] = [];
  let before = nothing;
  if (part.base !== null) {
    before = rootOf(reading, part.base, nothing);
    for (const tenant of listed(reading, before)) runs.add(tenant);
  }
  for (const commit of part.commits) {
    yield;
    const after = rootOf(reading, commit, before);
    if (after.tenants === before.tenants && after.siteFile === before.siteFile) continue;
    const begins = listed(reading, after).filter((tenant) => !runs.has(tenant));
    for (const tenant of runs) found.push(...changedDags(reading, { tenant, commit, before, after }));
    for (const tenant of begins) found.push(...changedDags(reading, { tenant, commit, before: nothing, after }));
    for (const tenant of begins) runs.add(tenant);
    before = after;
  }
  return found;
}

interface Reading {
  readonly source: HistorySource;
  readonly site: string;
  readonly siteSpecs: Map<Oid, SiteSpec | null>;
}

/** The places of a root tree that matter here. */
interface Root {
  readonly sites: Oid | null;
  readonly siteFile: Oid | null;
  readonly tenants: Oid | null;
  /** Folder of each tenant. */
  readonly folders: ReadonlyMap<string, Oid>;
}

const nothing: Root = { sites: null, siteFile: null, tenants: null, folders: new Map() };

/** What stands as it stood in the tree before is not read again. */
function rootOf(reading: Reading, commit: string, before: Root): Root {
  const entries = entriesOf(reading, reading.source.readCommit(toOid(commit)).tree);
  const sites = oidOf(entries, "sites", "tree");
  const tenants = oidOf(entries, "tenants", "tree");
  const isSame = { sites: sites === before.sites, tenants: tenants === before.tenants };
  return {
    sites,
    siteFile: isSame.sites ? before.siteFile : oidOf(entriesOf(reading, sites), `${reading.site}.yaml`, "blob"),
    tenants,
    folders: isSame.tenants ? before.folders : foldersOf(entriesOf(reading, tenants)),
  };
}

const foldersOf = (entries: readonly TreeEntry[]): ReadonlyMap<string, Oid> =>
  new Map(entries.filter((entry) => isWhole(entry, "tree") && isId(entry.name)).map(({ name, oid }) => [name, oid]));

function listed(reading: Reading, { siteFile, folders }: Root): readonly string[] {
  const spec = siteFile === null ? null : siteSpecOf(reading, siteFile);
  if (spec === null) return [];
  return spec.tenants.includes("*") ? [...folders.keys()] : spec.tenants;
}

function siteSpecOf({ source, site, siteSpecs }: Reading, oid: Oid): SiteSpec | null {
  const known = siteSpecs.get(oid);
  if (known !== undefined) return known;
  const path = `sites/${site}.yaml`;
  const bytes = orUnreadable(path, () => source.readBlob(oid));
  const decoded = "code" in bytes ? null : decodeDocument({ path, bytes });
  const spec = decoded?.ok === true && decoded.document.kind === "Site" ? decoded.document.spec : null;
  siteSpecs.set(oid, spec);
  return spec;
}

interface Change {
  readonly tenant: string;
  readonly commit: string;
  readonly before: Root;
  readonly after: Root;
}

function changedDags(reading: Reading, { tenant, commit, before, after }: Change): readonly IntroducedDag[] {
  const [old, now] = [before.folders.get(tenant) ?? null, after.folders.get(tenant) ?? null];
  if (now === null || old === now) return [];
  const [oldDags, dags] = [old, now].map((folder) => oidOf(entriesOf(reading, folder), "dags", "tree")) as [
    Oid | null,
    Oid | null,
  ];
  if (dags === null || dags === oldDags) return [];
  const stood = new Map(entriesOf(reading, oldDags).map(({ name, oid }) => [name, oid]));
  return entriesOf(reading, dags).flatMap((entry) => {
    if (!isWhole(entry, "blob") || stood.get(entry.name) === entry.oid) return [];
    const path = `tenants/${tenant}/dags/${entry.name}`;
    const where = classifyPath(path);
    return where?.kind === "Dag" ? [{ tenant, dagId: where.dagId, path, blob: entry.oid, commit }] : [];
  });
}

function entriesOf({ source }: Reading, tree: Oid | null): readonly TreeEntry[] {
  if (tree === null) return [];
  const entries = orUnreadable("", () => source.readTree(tree));
  return "code" in entries ? [] : entries;
}

const isWhole = ({ kind, defect }: TreeEntry, wanted: "blob" | "tree"): boolean => kind === wanted && defect === null;

function oidOf(entries: readonly TreeEntry[], name: string, wanted: "blob" | "tree"): Oid | null {
  const entry = entries.find((each) => each.name === name);
  return entry !== undefined && isWhole(entry, wanted) ? entry.oid : null;
}
