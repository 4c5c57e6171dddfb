import { Fault } from "../../base/index.ts";
import { type GitRepository, type Oid, toOid } from "../../git/index.ts";
import { usage } from "../terminal.ts";
import { revisionOf } from "./spec-place.ts";

/** Commits that are looked through for a short id, and the longest `~n`. */
const maxWalked = 100_000;

/**
 * A commit as people name one: branch, full ref, full or abbreviated id (7 digits or more, of a commit that a branch or
 * tag reaches along first parents), each with `^` or `~n` after it. Fault REF_MISSING where there is none.
 */
export function resolveRevision(repository: GitRepository, text: string | undefined): Oid {
  if (text === undefined) return baseOf(repository, undefined);
  const [, base = "", suffix = ""] = /^(.*?)((?:\^|~\d*)*)$/s.exec(text) ?? [];
  let oid = baseOf(repository, base === "" ? undefined : base);
  for (let n = stepsOf(suffix); n > 0; n -= 1) oid = parentOf(repository, oid, text);
  return oid;
}

/** `^^~3` is five parents back. */
function stepsOf(suffix: string): number {
  const steps = [...suffix.matchAll(/\^|~(\d*)/g)].map(([, digits = ""]) => (digits === "" ? 1 : Number(digits)));
  return Math.min(
    maxWalked,
    steps.reduce((sum, step) => sum + step, 0),
  );
}

/** `FROM..TO`, `FROM..` or `TO`; `FROM` null where it is not written. */
export function parseRange(text: string): { readonly from: string | null; readonly to: string | undefined } {
  const at = text.indexOf("..");
  if (at < 0) return { from: null, to: text };
  const [from, to] = [text.slice(0, at), text.slice(at + 2)];
  if (from === "" || to.startsWith(".") || to.includes("..")) throw usage(`${text} is not FROM..TO`);
  return { from, to: to === "" ? undefined : to };
}

function baseOf(repository: GitRepository, base: string | undefined): Oid {
  const short = base !== undefined && /^[0-9a-f]{7,39}$/.test(base) ? base : null;
  try {
    return known(repository, revisionOf(repository, base).oid);
  } catch (error) {
    if (short === null) throw error;
  }
  const found = new Set<Oid>();
  // No other refs: below refs/orrery/ anybody who may push can name anything, of any size.
  for (const { oid } of ["heads", "remotes", "tags"].flatMap((kind) => repository.listRefs(`refs/${kind}/`))) {
    for (const commit of firstParents(repository, oid)) if (commit.startsWith(short)) found.add(commit);
  }
  const [first] = found;
  if (first === undefined) throw new Fault("REF_MISSING", `no commit ${short} in ${repository.path}`);
  if (found.size > 1) throw new Fault("REF_MISSING", `${short} is short for ${String(found.size)} commits`);
  return first;
}

function known(repository: GitRepository, oid: Oid): Oid {
  if (repository.hasObject(oid)) return oid;
  throw new Fault("REF_MISSING", `${repository.path} does not hold ${oid}`);
}

function parentOf(repository: GitRepository, oid: Oid, text: string): Oid {
  const [parent] = repository.readCommit(oid).parents;
  if (parent === undefined) throw new Fault("REF_MISSING", `${text} lies before the first commit`);
  return parent;
}

function* firstParents(repository: GitRepository, start: Oid): Generator<Oid> {
  let at: Oid | undefined = start;
  for (let n = 0; at !== undefined && n < maxWalked; n += 1) {
    if (repository.readObject(at).type !== "commit") return;
    yield at;
    at = toParent(repository, at);
  }
}

function toParent(repository: GitRepository, oid: Oid): Oid | undefined {
  const [parent] = repository.readCommit(oid).parents;
  return parent === undefined ? undefined : toOid(parent);
}
