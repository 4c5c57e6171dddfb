import { canonicalText, type JsonObject, utcText } from "../base/index.ts";
import { sha256 } from "../base/node-digest.ts";
import { unstartedRunBody } from "../record/index.ts";
import { type Actor, contextOf, inputsHashOf, runIdOf, runTokenOf, type Trigger, traceIdOf } from "../run/index.ts";
import type { AdmissionRequest, DenialBody, QueuedRunBody, Rationale, SlotClaim } from "../store/index.ts";
import type { SchedulerDeps, SiteFacts } from "./scheduler-deps.ts";

export interface RequestParts {
  readonly tenant: string;
  readonly dagId: string;
  readonly trigger: Trigger;
  /** The version that inputs were resolved against. */
  readonly specHash: string;
  readonly inputs: JsonObject;
  readonly actor: Actor;
  readonly rationale: readonly Rationale[];
  readonly claim: SlotClaim | null;
  readonly denial: DenialBody | null;
}

/** Everything about a run that is known at admission, hashes included; the same parts give the same token anywhere. */
export function admissionRequest(deps: SchedulerDeps, facts: SiteFacts, parts: RequestParts): AdmissionRequest {
  const now = deps.clock.now();
  const { tenant, dagId, trigger, specHash, inputs } = parts;
  const inputsHash = inputsHashOf(inputs, sha256);
  const runToken = runTokenOf({ site: facts.site, tenant, dagId, trigger }, sha256);
  const instant = trigger.slot ?? utcText(now);
  return {
    tenant,
    dagId,
    trigger,
    specHash,
    inputsText: canonicalText(inputs),
    inputsHash,
    runId: runIdOf(runToken, now),
    runToken,
    context: contextOf({ now: instant, specHash, inputsHash }, sha256),
    actor: parts.actor,
    rationale: parts.rationale,
    traceId: traceIdOf(deps.randomBytes(16)),
    now: utcText(now),
    instant,
    // A slot that falls now is a skip already.
    closed: parts.claim === null && !deps.gate.isOpen,
    claim: parts.claim,
    denial: parts.denial,
    superseded: endedUnstarted(deps, facts, null),
  };
}

/** Who ended a run by hand, and why. */
export interface Canceller {
  readonly subject: string;
  readonly rationale: string | null;
}

/** Makes the record of a queued run that ends now as cancelled; `by` is null where another run takes its place. */
export function endedUnstarted(deps: SchedulerDeps, facts: SiteFacts, by: Canceller | null): QueuedRunBody {
  const endedUtc = utcText(deps.clock.now());
  const bodyOf = unstartedRunBody({ ...facts, endedUtc, class: "cancelled", code: "RUN_CANCELLED" }, sha256);
  return (run) =>
    bodyOf(by === null ? run : { ...run, rationale: [...run.rationale, { source: "cancel", text: cancelText(by) }] });
}

// As the worker words it for a running one: `actor` is who started the run, so who cancelled stands nowhere else.
const cancelText = ({ subject, rationale }: Canceller): string =>
  rationale === null ? `user ${subject}` : `user ${subject}: ${rationale}`;
