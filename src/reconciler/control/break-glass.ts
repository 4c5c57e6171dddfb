import { randomUUID } from "node:crypto";
import { type Clock, Fault, utcText } from "../../base/index.ts";
import { controlBody, type RecordRuntime } from "../../record/index.ts";
import type { LedgerStore, OutboxBody, Suspension, SuspensionStore } from "../../store/index.ts";

/** Stops DAGs past Git, for a reason, with a ticket, until an instant: the only desired state that no commit holds. */
export interface BreakGlass {
  list(tenant: string): Promise<readonly Suspension[]>;
  /** Fault DAG_NOT_FOUND, NOT_FOUND, or BAD_REQUEST where the end is past or over 90 days away. */
  suspend(request: SuspendRequest): Promise<Suspension>;
  /** False where nothing was suspended. */
  resume(request: ResumeRequest): Promise<boolean>;
}

export interface ResumeRequest {
  readonly tenant: string;
  /** null = the whole tenant. */
  readonly dagId: string | null;
  readonly reason: string;
  readonly ticket: string;
  readonly subject: string;
}

export interface SuspendRequest extends ResumeRequest {
  readonly until: Date;
}

export interface BreakGlassDeps {
  readonly suspensions: SuspensionStore;
  readonly ledger: Pick<LedgerStore, "getDag" | "getTenant">;
  readonly clock: Clock;
  /** A pass carries it out, as it carries out a commit. */
  readonly wake: () => void;
}

const longestMs = 90 * 24 * 3_600_000;

export function createBreakGlass(
  deps: BreakGlassDeps,
  facts: { readonly site: string; readonly runtime: RecordRuntime },
): BreakGlass {
  const recordOf = (verb: string, request: ResumeRequest, until: Date | null): OutboxBody =>
    controlBody({
      ...{ site: facts.site, runtime: facts.runtime, tenant: request.tenant, traceId: null },
      actor: { kind: "user", subject: request.subject, key: null },
      rationale: [{ source: "trigger", text: request.reason }],
      ...{ uuid: randomUUID(), verb, ticket: request.ticket },
      target: request.dagId === null ? `tenant/${request.tenant}` : `dag/${request.dagId}`,
      expiresUtc: until === null ? null : utcText(until),
    });
  return {
    list: (tenant) => deps.suspensions.list(tenant),
    suspend: async (request) => {
      const { tenant, dagId, reason, ticket, subject, until } = request;
      const now = deps.clock.now();
      checkEnd(until, now);
      await checkTarget(deps, request);
      const suspension = { dagId, reason, ticket, subject, since: utcText(now), until: utcText(until) };
      await deps.suspensions.suspend(tenant, suspension, recordOf("suspend", request, until));
      deps.wake();
      return suspension;
    },
    resume: async (request) => {
      const ended = await deps.suspensions.end(request.tenant, request.dagId, recordOf("resume", request, null));
      if (ended) deps.wake();
      return ended;
    },
  };
}

function checkEnd(until: Date, now: Date): void {
  const aheadMs = until.getTime() - now.getTime();
  if (aheadMs > 0 && aheadMs <= longestMs) return;
  throw new Fault("BAD_REQUEST", "a suspension ends within 90 days from now; for longer, suspend in Git");
}

async function checkTarget({ ledger }: BreakGlassDeps, { tenant, dagId }: SuspendRequest): Promise<void> {
  if (dagId === null) {
    if ((await ledger.getTenant(tenant)) === null)
      throw new Fault("NOT_FOUND", "nothing of this tenant was ever applied");
    return;
  }
  const dag = await ledger.getDag(tenant, dagId);
  if (dag === null || dag.pruned) throw new Fault("DAG_NOT_FOUND", `this tenant has no DAG ${dagId}`);
}
