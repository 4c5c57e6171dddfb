import type { UtcText } from "../base/index.ts";
import type { ReadableDag } from "./desired/desired.ts";
import type { ObservedDag, ObservedTenant, Suspension } from "./observed/observed.ts";
import type { DagChange, SuspendWrite, TenantBlock } from "./plan.ts";

/** Break-glass suspensions that hold at an instant. */
export class Suspended {
  readonly #byDag: ReadonlyMap<string | null, Suspension>;

  /** `now` null: nothing is known of the clock, so nothing holds. */
  constructor(suspensions: readonly Suspension[], now: UtcText | null) {
    const active = now === null ? [] : suspensions.filter(({ until }) => until > now);
    this.#byDag = new Map(active.map((suspension) => [suspension.dagId, suspension]));
  }

  /** The one that stops a DAG, or null. */
  of(dagId: string): Suspension | null {
    return this.#byDag.get(dagId) ?? this.#byDag.get(null) ?? null;
  }

  /** Tells two sets apart, in the fingerprint: a tenant is dirty when one begins or ends. Empty where none holds. */
  get mark(): string {
    const targets = [...this.#byDag.keys()].map((dagId) => dagId ?? "*").sort();
    return targets.length === 0 ? "" : `:suspended=${targets.join(",")}`;
  }

  /** A desired DAG as it is to stand. */
  over(dag: ReadableDag): ReadableDag {
    const suspension = this.of(dag.dagId);
    return suspension === null ? dag : { ...dag, suspended: true, suspendedBy: suspensionText(suspension) };
  }
}

/** A stored fingerprint without the marks of what was suspended and of overrides that held. */
export const treesOf = (fingerprint: string | null): string | null =>
  fingerprint?.split(/:(?:overrides|suspended)=/)[0] ?? null;

const suspensionText = ({ subject, reason, ticket, until }: Suspension): string =>
  `suspended by ${subject} until ${until}: ${reason} (${ticket})`;

/**
 * Live DAGs that the plan leaves at the version they have (held, or the whole tenant is) and that must stop or go on all
 * the same: what does not decode must not shield a DAG from break-glass.
 */
export function suspendWrites(
  { dags, suspended: appliedSuspended }: Pick<ObservedTenant, "dags" | "suspended">,
  plan: { readonly dags: readonly DagChange[]; readonly blocked: TenantBlock | null; readonly wanted: boolean },
  suspended: Suspended,
): readonly SuspendWrite[] {
  const held = new Set(plan.dags.flatMap((change) => (change.kind === "hold" ? [change.dagId] : [])));
  const isLeft = (dag: ObservedDag): boolean => !dag.pruned && (plan.blocked !== null || held.has(dag.dagId));
  const inGit = plan.blocked === null ? plan.wanted : appliedSuspended;
  const left = dags.filter(isLeft).sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
  return left.flatMap(({ dagId, specHash, suspended: before }) => {
    const after = inGit || suspended.of(dagId) !== null;
    return after === before ? [] : [{ dagId, from: specHash, suspended: after }];
  });
}
