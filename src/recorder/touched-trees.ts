import type { Oid } from "../git/index.ts";
import type { SignRequest } from "../signer/index.ts";
import type { RecorderDeps } from "./recorder-deps.ts";

/** Raw bodies of the trees of a commit on the way to these paths, as far as they exist. */
export function touchedTrees(
  repository: Pick<RecorderDeps["repository"], "readCommit" | "readTree" | "readObject">,
  commit: Oid | null,
  paths: readonly string[],
): SignRequest["parentTrees"] {
  if (commit === null) return [];
  const found = new Map<Oid, Uint8Array>();
  const root = repository.readCommit(commit).tree;
  found.set(root, repository.readObject(root).body);
  for (const path of paths) {
    let tree: Oid | null = root;
    for (const name of path.split("/").slice(0, -1)) {
      tree = subtreeAt(repository, tree, name);
      if (tree === null) break;
      found.set(tree, repository.readObject(tree).body);
    }
  }
  return [...found].map(([oid, body]) => ({ oid, body }));
}

function subtreeAt(repository: Pick<RecorderDeps["repository"], "readTree">, tree: Oid, name: string): Oid | null {
  const entry = repository.readTree(tree).find((candidate) => candidate.name === name);
  return entry?.kind === "tree" ? entry.oid : null;
}
