import { openRepository } from "../../git/index.ts";
import { resolveInClone } from "../place/clone-revision.ts";
import { openSpecPlace, type SpecPlace, specRootOf } from "../place/spec-place.ts";

/**
 * What a query reads: the commit that `at` names (a branch, ref or id, also short, each with `^` or `~n`), else what
 * `openSpecPlace` takes without one.
 */
export function openQueryPlace(repo: string, at: string | undefined): SpecPlace {
  if (at === undefined) return openSpecPlace(repo, undefined);
  const root = specRootOf(repo);
  const repository = openRepository(root);
  try {
    const revision = resolveInClone(repository, at);
    return {
      ...{ kind: "revision", path: root, source: repository, revision, name: `commit ${revision.slice(0, 12)}` },
      [Symbol.dispose]: () => repository[Symbol.dispose](),
    };
  } catch (error) {
    repository[Symbol.dispose]();
    throw error;
  }
}
