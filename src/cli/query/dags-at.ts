import { Fault } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../../git/index.ts";
import type { DesiredDag } from "../../plan/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import { resolveInClone } from "../place/clone-revision.ts";
import { specRootOf } from "../place/spec-place.ts";

/** A DAG as one commit wants it. */
export interface DagAt {
  readonly tenant: string;
  readonly dagId: string;
  readonly state: "armed" | "not armed" | "suspended" | "held";
  /** null where the document does not decode. */
  readonly specHash: string | null;
  readonly schedules: readonly string[];
}

export interface DagsAt {
  readonly revision: string;
  readonly dags: readonly DagAt[];
}

/**
 * The DAGs that a commit wants, by tenant and name; by an instant: the newest commit along first parents of main (or the
 * branch of HEAD) that was made at or before it.
 */
export async function dagsAt(
  { repo, at, tenant }: { readonly repo: string; readonly at: string; readonly tenant: string | null },
  compute: Pick<Compute, "decode">,
): Promise<DagsAt> {
  using repository = openRepository(specRootOf(repo));
  const revision = isInstant(at) ? commitBefore(repository, new Date(at)) : resolveInClone(repository, at);
  const reader = new DesiredReader(repository, compute);
  const dags: DagAt[] = [];
  for (const each of reader.allTenants(revision)) {
    if (tenant !== null && tenant !== each) continue;
    const { desired } = await reader.readTenant(revision, each, new AbortController().signal);
    if (desired.kind === "readable") dags.push(...desired.dags.map((dag) => dagAt(each, dag)));
  }
  return { revision, dags };
}

const isInstant = (text: string): boolean => /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/.test(text);

function commitBefore(repository: GitRepository, instant: Date): Oid {
  let at = resolveInClone(repository, undefined);
  for (;;) {
    const { committer, parents } = repository.readCommit(at);
    if (committer.seconds * 1000 <= instant.getTime()) return at;
    const [parent] = parents;
    if (parent === undefined)
      throw new Fault("REF_MISSING", `no commit was made at or before ${instant.toISOString()}`);
    at = toOid(parent);
  }
}

function dagAt(tenant: string, dag: DesiredDag): DagAt {
  if (dag.kind === "unreadable") return { tenant, dagId: dag.dagId, state: "held", specHash: null, schedules: [] };
  const state = dag.suspended ? "suspended" : dag.armed ? "armed" : "not armed";
  return {
    tenant,
    dagId: dag.dagId,
    state,
    specHash: dag.specHash,
    schedules: dag.spec.schedules.map(({ name }) => name),
  };
}
