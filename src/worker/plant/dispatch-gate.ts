import { reasonOf } from "../../base/index.ts";

/** One attempt that wants to start. */
export interface GateRequest {
  readonly tenant: string;
  /** The tenant's steps.maxConcurrent, over all workers of the site. */
  readonly tenantMax: number;
}

interface Waiting {
  readonly request: GateRequest;
  readonly admit: () => void;
}

/**
 * Quota at dispatch (DESIGN.md section 5): the tenant's share of this worker, and the machine's capacity. The third
 * bound, forEach.maxParallel, is the walk's own. First come, first served among those that fit.
 */
export class DispatchGate {
  readonly #capacity: () => number;
  readonly #waiting: Waiting[] = [];
  readonly #perTenant = new Map<string, number>();
  #inside = 0;
  #workers = 1;

  constructor(capacity: () => number) {
    this.#capacity = capacity;
  }

  /** Live workers of the site: each takes its share of a tenant's steps. */
  setWorkers(live: number): void {
    this.#workers = Math.max(1, live);
    this.#admitWaiting();
  }

  /** Resolves with the way to leave (safe to call twice) once the attempt may start. */
  enter(request: GateRequest, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(reasonOf(signal));
      };
      const entry: Waiting = {
        request,
        admit: () => {
          signal.removeEventListener("abort", onAbort);
          resolve(this.#take(request.tenant));
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(entry);
      this.#admitWaiting();
    });
  }

  #admitWaiting(): void {
    for (let i = 0; i < this.#waiting.length && this.#inside < this.#capacity(); ) {
      const next = this.#waiting[i];
      if (next === undefined || !this.#fits(next.request)) {
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      next.admit();
    }
  }

  #fits({ tenant, tenantMax }: GateRequest): boolean {
    return this.#insideOf(tenant) < Math.max(1, Math.floor(tenantMax / this.#workers));
  }

  #take(tenant: string): () => void {
    this.#inside++;
    this.#perTenant.set(tenant, this.#insideOf(tenant) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inside--;
      const others = this.#insideOf(tenant) - 1;
      if (others === 0) this.#perTenant.delete(tenant);
      else this.#perTenant.set(tenant, others);
      this.#admitWaiting();
    };
  }

  #insideOf(tenant: string): number {
    return this.#perTenant.get(tenant) ?? 0;
  }
}
