import type { GitRepository, Oid } from "../../git/index.ts";
import { resolveRevision } from "./revision.ts";

/**
 * As `resolveRevision`, and what a person in a clone says besides: `HEAD`, `origin/main`. Only for commands that read and
 * approve: to a daemon HEAD means nothing, and nothing that it does may hang on one.
 */
export function resolveInClone(repository: GitRepository, text: string | undefined): Oid {
  if (text === undefined) return resolveRevision(repository, undefined);
  const [, name = "", suffix = ""] = /^(.*?)((?:\^|~\d*)*)$/s.exec(text) ?? [];
  return resolveRevision(repository, `${clonesOwn(repository, name) ?? name}${suffix}`);
}

function clonesOwn(repository: GitRepository, name: string): Oid | null {
  if (name === "HEAD" || name === "@") return repository.readRef("HEAD");
  const isBranch = name !== "" && !name.startsWith("refs/") && repository.readRef(`refs/heads/${name}`) !== null;
  return isBranch || !name.includes("/") ? null : repository.readRef(`refs/remotes/${name}`);
}
