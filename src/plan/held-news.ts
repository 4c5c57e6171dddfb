import type { Finding } from "../spec/index.ts";
import type { Condition } from "./observed/observed.ts";
import type { TenantPlan } from "./plan.ts";

/** One document that does not run as it stands in the revision, said when that is new. */
export interface HeldNews {
  /** `held`: kept at its last good version, or out. `not_armed`: applied, and not allowed to start. */
  readonly what: "held" | "not_armed";
  readonly path: string;
  /** The first finding that says why; null: no finding of a document but the prune brake. */
  readonly finding: Finding | null;
  /** How many more of the document say so. */
  readonly more: number;
  /** What stands in the condition. */
  readonly message: string;
}

/**
 * What a plan holds back and its conditions did not say before: unreadable and mutated DAGs, denied ones, documents that
 * hold the whole tenant, broken plugins, the prune brake. By path.
 */
export function heldNews(plan: TenantPlan): readonly HeldNews[] {
  const isNews = newsOf(plan);
  const dags = plan.blocked === null ? dagNews(plan, isNews) : [];
  return [...dags, ...tenantNews(plan, isNews)].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** The message that a Ready condition says for the first time, or for another reason; null where it is not new. */
export type News = (kind: Condition["kind"], name: string) => string | null;

export function newsOf({ said }: TenantPlan): News {
  const ready = said.flatMap(({ from, to }) =>
    to?.type === "Ready" && to.message !== from?.message ? [[`${to.kind}/${to.name}`, to.message] as const] : [],
  );
  const news = new Map(ready);
  return (kind, name) => news.get(`${kind}/${name}`) ?? null;
}

function dagNews({ desired, dags }: TenantPlan, isNews: News): readonly HeldNews[] {
  const held = new Map(dags.flatMap((change) => (change.kind === "hold" ? [[change.dagId, change]] : [])));
  const all = desired.kind === "readable" ? desired.dags : [];
  return all.flatMap((dag): readonly HeldNews[] => {
    const hold = held.get(dag.dagId);
    const isDenied = dag.kind === "readable" && !dag.armed && !dag.suspended;
    const message = hold === undefined && !isDenied ? null : isNews("Dag", dag.dagId);
    if (message === null) return [];
    return hold === undefined
      ? [newsFrom("not_armed", dag.path, dag.findings, message)]
      : [newsFrom("held", hold.path, hold.findings, message)];
  });
}

function tenantNews({ tenant, blocked, desired }: TenantPlan, isNews: News): readonly HeldNews[] {
  const message = isNews("Tenant", tenant);
  if (message === null) return [];
  if (blocked?.kind === "brake" || blocked?.kind === "freeze")
    return [{ what: "held", path: `tenants/${tenant}/`, finding: null, more: 0, message }];
  const broken = desired.findings.filter(({ severity }) => severity === "error");
  return [...new Set(broken.map(({ path }) => path))].map((path) =>
    newsFrom(
      "held",
      path,
      broken.filter((finding) => finding.path === path),
      message,
    ),
  );
}

function newsFrom(what: HeldNews["what"], path: string, findings: readonly Finding[], message: string): HeldNews {
  const wanted = what === "held" ? "error" : "denied";
  const [finding = null, ...others] = findings.filter(({ severity }) => severity === wanted);
  return { what, path, finding, more: others.length, message };
}
