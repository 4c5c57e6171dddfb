import { breath, type UtcText } from "../../base/index.ts";
import type { DesiredTenant, ObservedDag, ObservedTenant, TenantChange } from "../../plan/index.ts";
import { Suspended, tenantAfter } from "../../plan/index.ts";
import type { RevisionStore, TenantHead } from "../../store/index.ts";

type Store = Pick<RevisionStore, "observeTenant" | "observeSchedules">;

/**
 * The applied state of tenants as last read or written, by generation: whoever applied meanwhile has moved it, and what
 * was changed by hand is found by a full pass. One changed DAG among ten thousand costs no reading of all rows.
 */
export class ObservedTenants {
  readonly #store: Store;
  readonly #known = new Map<string, ObservedTenant>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Every row, read now. */
  async read(tenant: string): Promise<ObservedTenant & TenantHead> {
    this.#known.delete(tenant);
    const observed = await this.#store.observeTenant(tenant);
    this.#known.set(tenant, observed);
    return observed;
  }

  /** As `read`, where the head's generation is known without its rows. Watermarks may be old: see `withWatermarks`. */
  async at(head: TenantHead): Promise<ObservedTenant> {
    const known = this.#known.get(head.tenant);
    if (known?.generation !== head.generation) return this.read(head.tenant);
    const { pins, dags, conditions } = known;
    return { ...head, pins, dags, conditions };
  }

  /** With the watermarks that a plan for `desired` needs: the scheduler moves them all the time. */
  async withWatermarks(observed: ObservedTenant, desired: DesiredTenant, now: UtcText): Promise<ObservedTenant> {
    await breath();
    const moving = movingDags(desired, observed, now);
    const fresh = await this.#store.observeSchedules(observed.tenant, moving, now);
    const asked = new Set(moving);
    const dags = observed.dags.map((dag) => {
      const schedules = fresh.get(dag.dagId) ?? (asked.has(dag.dagId) ? [] : dag.schedules);
      return schedules === dag.schedules ? dag : { ...dag, schedules };
    });
    return { ...observed, dags };
  }

  /** A change is committed. */
  applied(observed: ObservedTenant, change: TenantChange): void {
    this.#known.set(observed.tenant, tenantAfter(observed, change));
  }

  forget(tenant: string): void {
    this.#known.delete(tenant);
  }
}

/** DAGs that a plan may write, and those whose watermark seemed to stand beyond now. */
function movingDags(desired: DesiredTenant, { dags, suspensions }: ObservedTenant, now: UtcText): readonly string[] {
  if (desired.kind === "unreadable") return [];
  const wanted = new Map(desired.dags.map((dag) => [dag.dagId, dag]));
  const suspended = new Suspended(suspensions, now);
  const isStill = (dag: ObservedDag): boolean => {
    const inGit = wanted.get(dag.dagId);
    if (inGit?.kind !== "readable") return false;
    const want = suspended.over(inGit);
    const isSame = want.specHash === dag.specHash && want.armed === dag.armed && want.suspended === dag.suspended;
    return isSame && !dag.schedules.some(({ watermark }) => watermark > now);
  };
  return dags.filter((dag) => !isStill(dag)).map(({ dagId }) => dagId);
}
