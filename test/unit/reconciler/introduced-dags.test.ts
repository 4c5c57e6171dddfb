import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drained } from "../../../src/base/index.ts";
import {
  decodeTree,
  encodeCommit,
  type GitObject,
  graftTree,
  hashObject,
  type Oid,
  toOid,
} from "../../../src/git/index.ts";
import { type HistorySource, introducedDags } from "../../../src/reconciler/read/introduced-dags.ts";

/** A repository in memory that counts what is read of it. */
class MemoryHistory implements HistorySource {
  readonly commits: Oid[] = [];
  readonly roots: ReadonlyMap<string, string>[] = [];
  treesRead = 0;
  readonly #objects = new Map<Oid, Buffer>();
  readonly #trees = new Map<Oid, Oid>();

  commit(files: ReadonlyMap<string, string>): void {
    const blobs = new Map([...files].map(([path, text]) => [path, Buffer.from(text)]));
    const { root, objects } = graftTree({ readTree: () => [] }, null, blobs);
    for (const object of objects) this.#keep(object);
    const ident = { name: "Ana", email: "ana@acme.example", seconds: this.commits.length, offset: "+0000" };
    const body = encodeCommit({ tree: root, parents: [], author: ident, committer: ident, message: "change\n" });
    const oid = hashObject("commit", body);
    this.#trees.set(oid, root);
    this.commits.push(oid);
    this.roots.push(files);
  }

  readCommit = (oid: Oid): { readonly tree: Oid } => ({ tree: this.#trees.get(oid) ?? toOid("0".repeat(40)) });
  readBlob = (oid: Oid): Buffer => this.#objects.get(oid) ?? Buffer.alloc(0);
  readTree = (oid: Oid): ReturnType<typeof decodeTree> => {
    this.treesRead++;
    return decodeTree(this.readBlob(oid));
  };

  #keep({ type, body }: GitObject): void {
    this.#objects.set(hashObject(type, body), body);
  }
}

type Versions = ReadonlyMap<string, string>;

const siteText = (tenants: string): string =>
  `apiVersion: orrery/v1\nkind: Site\nspec:\n  tenants: ${tenants}\n  audit: { keys: [{ key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", from: 1 }] }\n`;

/** Pushed in parts that end at `cuts`; what is kept is what the store keeps: the first commit of each content. */
function pushed(history: MemoryHistory, cuts: readonly number[]): Versions {
  const kept = new Map<string, string>();
  const tenants = new Set<string>();
  let at = 0;
  for (const cut of [...cuts, history.commits.length]) {
    if (cut <= at) continue;
    const part = { base: at === 0 ? null : (history.commits[at - 1] ?? null), commits: history.commits.slice(at, cut) };
    const found = drained(introducedDags(history, { ...part, site: "hq", tenants: [...tenants] }));
    for (const { path, blob, commit } of found) if (!kept.has(`${path} ${blob}`)) kept.set(`${path} ${blob}`, commit);
    for (const tenant of runsAfter(history.roots.slice(0, cut))) tenants.add(tenant);
    at = cut;
  }
  return kept;
}

/** The oracle: whole trees, compared text by text. */
function runsAfter(roots: readonly ReadonlyMap<string, string>[]): ReadonlySet<string> {
  const runs = new Set<string>();
  for (const files of roots) {
    const said = files.get("sites/hq.yaml") ?? "";
    const all = [...files.keys()].flatMap((path) => /^tenants\/([a-z]+)\//.exec(path)?.[1] ?? []);
    const named = said.includes('["*"]') ? all : said.includes("[acme]") ? ["acme"] : [];
    for (const tenant of named) runs.add(tenant);
  }
  return runs;
}

function expected(history: MemoryHistory): Versions {
  const first = new Map<string, string>();
  for (const [i, files] of history.roots.entries()) {
    const runs = runsAfter(history.roots.slice(0, i + 1));
    for (const [path, text] of files) {
      const tenant = /^tenants\/([a-z]+)\/dags\//.exec(path)?.[1];
      const key = `${path} ${hashObject("blob", Buffer.from(text))}`;
      if (tenant !== undefined && runs.has(tenant) && !first.has(key)) first.set(key, history.commits[i] ?? "");
    }
  }
  return first;
}

const paths = [
  "tenants/acme/dags/a.yaml",
  "tenants/acme/dags/b.yaml",
  "tenants/beta/dags/a.yaml",
  "tenants/beta/quota.yaml",
];
const sites = [siteText('["*"]'), siteText("[acme]"), "spec: [", null];
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ path: fc.constantFrom(...paths), text: fc.constantFrom("x", "y", "z", null) }) },
  { weight: 1, arbitrary: fc.record({ path: fc.constant("sites/hq.yaml"), text: fc.constantFrom(...sites) }) },
);

function historyOf(steps: readonly { readonly path: string; readonly text: string | null }[]): MemoryHistory {
  const history = new MemoryHistory();
  let files = new Map([["orrery.yaml", "x"]]);
  history.commit(files);
  for (const { path, text } of steps) {
    files = new Map(files);
    if (text === null) files.delete(path);
    else files.set(path, text);
    history.commit(files);
  }
  return history;
}

describe("introducedDags", () => {
  it("names the first commit of each content, whatever way the history is split into pushes", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 14 }),
        fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 6 }),
        (steps, cuts) => {
          const history = historyOf(steps);

          expect(
            pushed(
              history,
              [...cuts].sort((a, b) => a - b),
            ),
          ).toEqual(expected(history));
        },
      ),
    );
  });

  it("reads the trees that changed and no other", () => {
    const many = Array.from({ length: 200 }, (_, n) => ({
      path: `tenants/t${"abcdefghij"[n % 10] ?? ""}/dags/d.yaml`,
      text: String(n),
    }));
    const history = historyOf([{ path: "sites/hq.yaml", text: siteText('["*"]') }, ...many]);
    const last = history.commits.length - 1;
    history.treesRead = 0;

    const part = {
      base: history.commits[last - 1] ?? null,
      commits: history.commits.slice(last),
      site: "hq",
      tenants: [],
    };
    const found = drained(introducedDags(history, part));

    expect(found.map(({ path }) => path)).toEqual(["tenants/tj/dags/d.yaml"]);
    // Root, sites and tenants of the base; root, tenants, and two folders and their dags of the commit.
    expect(history.treesRead).toBeLessThanOrEqual(9);
  });
});
