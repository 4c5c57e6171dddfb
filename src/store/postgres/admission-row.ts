import { type JsonObject, jsonDefect, utcText } from "../../base/index.ts";
import type { AdmissionRequest, SlotClaim } from "../admission-store.ts";
import { hashInJson, isHash, isInstant, isUuid } from "./column-codec.ts";

/** False for what would fail the whole statement instead of its own item: admission is one statement for all. */
export function isFitRequest(item: AdmissionRequest): boolean {
  const { trigger, context, actor, rationale } = item;
  const hashes = [item.inputsHash, item.runToken, context.seed, ...(item.specHash === null ? [] : [item.specHash])];
  const instants = [item.now, item.instant, context.now, ...(trigger.slot === null ? [] : [trigger.slot])];
  const texts = { trigger, actor, rationale, tenant: item.tenant, dag: item.dagId, trace: item.traceId };
  return (
    isUuid(item.runId) &&
    hashes.every(isHash) &&
    instants.every(isInstant) &&
    jsonDefect(texts) === null &&
    jsonDefect(item.inputsText) === null
  );
}

/** The item as `admit` reads it. */
export function admissionRow(item: AdmissionRequest, n: number): JsonObject {
  const { trigger, actor, context, claim } = item;
  return {
    n,
    tenant: item.tenant,
    dag: item.dagId,
    spec_hash: item.specHash === null ? null : hashInJson(item.specHash),
    run: item.runId,
    trigger_kind: trigger.kind,
    trigger_key: trigger.key,
    schedule: trigger.schedule,
    slot: trigger.slot,
    instant: item.instant,
    now: item.now,
    inputs: item.inputsText,
    inputs_hash: hashInJson(item.inputsHash),
    run_token: hashInJson(item.runToken),
    rationale: JSON.stringify(item.rationale),
    actor_kind: actor.kind,
    actor_subject: actor.subject,
    actor_key: actor.key,
    trace: item.traceId,
    context_now: context.now,
    context_seed: hashInJson(context.seed),
    claim: claim === null ? null : claimRow(claim),
    closed: item.closed,
  };
}

function claimRow(claim: SlotClaim): JsonObject {
  return {
    from: utcText(claim.from),
    to: utcText(claim.to),
    next: claim.nextDue === null ? null : utcText(claim.nextDue),
    runs: claim.runs,
    skips: claim.skips.map(({ reason, from, to, count }) => ({ reason, from, to, count })),
  };
}
