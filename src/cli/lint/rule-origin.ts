import { existsSync } from "node:fs";
import path from "node:path";
import { type GitRepository, type Oid, openRepository, toOid } from "../../git/index.ts";
import type { FindingRule } from "../../plan/index.ts";
import type { SpecPlace } from "../place/spec-place.ts";
import { type RuleAuthority, ruleAuthority } from "./rule-authority.ts";

/** A rule with where it comes from. */
export interface RuleOrigin extends FindingRule, RuleAuthority {
  /** The commit that brought the line in; null = it is not committed, or the file is not there. */
  readonly commit: string | null;
}

/** Commits that are looked through for one line: as far as anybody asks. */
const maxWalked = 5000;

/** Answers where rules come from, along first parents from what is checked; the same question costs once. */
export class RuleOrigins implements Disposable {
  readonly #place: SpecPlace;
  readonly #history: { readonly repository: GitRepository; readonly head: Oid; readonly own: boolean } | null;
  readonly #known = new Map<string, RuleOrigin>();
  readonly #authorityOf: (path: string) => RuleAuthority;

  constructor(place: SpecPlace) {
    this.#place = place;
    this.#history = historyOf(place);
    this.#authorityOf = ruleAuthority(place);
  }

  originOf(rule: FindingRule): RuleOrigin {
    const key = `${rule.path}:${String(rule.line)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return { ...known, ...rule };
    const origin = { ...rule, commit: this.#commitOf(rule), ...this.#authorityOf(rule.path) };
    this.#known.set(key, origin);
    return origin;
  }

  #commitOf({ path: file, line }: FindingRule): string | null {
    const text = line === 0 ? undefined : this.#lineOf(file, line);
    if (this.#history === null || text === undefined) return null;
    const { repository, head } = this.#history;
    let at: Oid | undefined = head;
    let found: string | null = null;
    let blob: Oid | null = null;
    for (let n = 0; at !== undefined && n < maxWalked; n += 1) {
      const { tree, parents }: { readonly tree: Oid; readonly parents: readonly string[] } = repository.readCommit(at);
      const entry = repository.entryAt(tree, file);
      if (entry?.kind !== "blob") break;
      // A blob that did not change holds the line as its child does.
      if (entry.oid !== blob && !linesOf(repository.readBlob(entry.oid)).includes(text)) break;
      blob = entry.oid;
      found = at;
      at = parents[0] === undefined || !repository.hasObject(toOid(parents[0])) ? undefined : toOid(parents[0]);
    }
    return found;
  }

  #lineOf(file: string, line: number): string | undefined {
    const { source, revision } = this.#place;
    const entry = source.entryAt(source.readCommit(revision).tree, file);
    return entry?.kind === "blob" && entry.defect === null ? linesOf(source.readBlob(entry.oid))[line - 1] : undefined;
  }

  [Symbol.dispose](): void {
    if (this.#history?.own === true) this.#history.repository[Symbol.dispose]();
  }
}

const linesOf = (bytes: Buffer): readonly string[] =>
  bytes
    .toString("utf8")
    .split("\n")
    .map((text) => text.trim());

function historyOf(place: SpecPlace) {
  if (place.kind === "revision") return { repository: place.source as GitRepository, head: place.revision, own: false };
  if (!existsSync(path.join(place.path, ".git"))) return null;
  try {
    const repository = openRepository(place.path);
    const head = repository.readRef("HEAD");
    if (head !== null) return { repository, head, own: true };
    repository[Symbol.dispose]();
    return null;
  } catch {
    // Files can be checked in a repository that we do not read; only the commit stays unknown.
    return null;
  }
}
