import { randomUUID } from "node:crypto";
import { type Clock, Fault, inSlices } from "../../base/index.ts";
import { type GitRepository, type Oid, toOid } from "../../git/index.ts";
import { controlBody, type RecordRuntime } from "../../record/index.ts";
import type { RevisionStore } from "../../store/index.ts";
import { firstParents } from "../../trust/index.ts";
import { siteTenant } from "../tenant-pass.ts";

/** The only way past a rewind or fork of the spec branch: a person says which commit counts as verified from now on. */
export interface HistoryAcceptance {
  /** Fault BAD_REQUEST where the branch still descends from what is verified, or does not hold `to` along first parents. */
  accept(request: AcceptRequest): Promise<AcceptedHistory>;
}

export interface AcceptRequest {
  readonly to: string;
  readonly reason: string;
  readonly ticket: string;
  readonly subject: string;
}

export interface AcceptedHistory {
  readonly from: string;
  readonly to: string;
}

export interface AcceptanceDeps {
  readonly repository: Pick<GitRepository, "readRef" | "readCommit" | "hasObject" | "path">;
  readonly revision: Pick<RevisionStore, "observeSite" | "acceptHistory">;
  readonly clock: Clock;
  /** A pass follows the branch from there. */
  readonly wake: () => void;
}

export interface AcceptanceFacts {
  readonly site: string;
  readonly specRef: string;
  readonly runtime: RecordRuntime;
}

export function createHistoryAcceptance(deps: AcceptanceDeps, facts: AcceptanceFacts): HistoryAcceptance {
  return {
    accept: async ({ to, reason, ticket, subject }) => {
      const from = (await deps.revision.observeSite())?.verifiedRevision ?? null;
      if (from === null) throw new Fault("BAD_REQUEST", "nothing is verified yet: there is no history to leave");
      await checkRewound(deps, facts, { from, to });
      const record = controlBody({
        ...{ site: facts.site, runtime: facts.runtime, tenant: siteTenant, traceId: null },
        actor: { kind: "user", subject, key: null },
        rationale: [{ source: "trigger", text: reason }],
        ...{ uuid: randomUUID(), verb: "accept_history", target: `history/${from}..${to}`, ticket, expiresUtc: null },
      });
      await deps.revision.acceptHistory({ from, to, record });
      deps.wake();
      return { from, to };
    },
  };
}

/** Else it would be a way round signatures, rules and approvals. */
async function checkRewound(
  { repository }: AcceptanceDeps,
  { specRef }: AcceptanceFacts,
  { from, to }: AcceptedHistory,
): Promise<void> {
  const head = repository.readRef(specRef);
  if (head === null) throw new Fault("REF_MISSING", `${specRef} does not exist in ${repository.path}`);
  const readCommit = (oid: string) => repository.readCommit(toOid(oid));
  const never = new AbortController().signal;
  const path = await inSlices(firstParents(readCommit, from, head), never);
  if (path.kind === "descends")
    throw new Fault("BAD_REQUEST", `${specRef} descends from the verified revision: nothing is to be accepted`);
  for (let oid: Oid | undefined = head; oid !== undefined; oid = repository.readCommit(oid).parents[0])
    if (oid === to) return;
  throw new Fault("BAD_REQUEST", `${to.slice(0, 12)} is not on ${specRef} along first parents`);
}
