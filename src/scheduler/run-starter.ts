import { randomUUID } from "node:crypto";
import { type CodeName, codes, Fault, type JsonObject, utcText } from "../base/index.ts";
import { denialBody } from "../record/index.ts";
import type { Actor, Trigger } from "../run/index.ts";
import { effectiveDag, resolveInputs } from "../spec/index.ts";
import type { AdmissionAnswer, CancelAnswer, DagView, DenialBody, Rationale } from "../store/index.ts";
import { admissionRequest, endedUnstarted } from "./admission-request.ts";
import type { SiteFacts, StarterDeps } from "./scheduler-deps.ts";

/** Starts and cancels runs on a person's word: the one way for API, CLI and tests. */
export interface RunStarter {
  /** Fault DAG_NOT_FOUND, INPUTS_INVALID or IDEMPOTENCY_KEY_REUSED where the request itself is wrong. */
  start(request: StartRequest): Promise<StartAnswer>;
  cancel(request: CancelRequest): Promise<CancelAnswer>;
}

export interface StartRequest {
  readonly tenant: string;
  readonly dagId: string;
  /** The client's Idempotency-Key; null = a fresh one. */
  readonly key: string | null;
  readonly inputs: JsonObject;
  readonly rationale: string | null;
  readonly subject: string;
}

export type StartAnswer =
  | { readonly kind: "admitted"; readonly runId: string; readonly runNo: number }
  | { readonly kind: "existing"; readonly runId: string }
  | { readonly kind: "refused"; readonly code: CodeName; readonly message: string | null };

export interface CancelRequest {
  readonly tenant: string;
  readonly runId: string;
  readonly rationale: string | null;
  readonly subject: string;
}

const maxTries = 5;

export function createRunStarter(deps: StarterDeps, facts: SiteFacts): RunStarter {
  return {
    start: (request) => start(deps, facts, request),
    cancel: ({ tenant, runId, rationale, subject }) =>
      deps.admission.cancel({
        tenant,
        runId,
        rationale,
        actor: { kind: "user", subject, key: null },
        now: utcText(deps.clock.now()),
        bodyOf: endedUnstarted(deps, facts, { subject, rationale }),
      }),
  };
}

async function start(deps: StarterDeps, facts: SiteFacts, request: StartRequest): Promise<StartAnswer> {
  const trigger: Trigger = { kind: "manual", key: request.key ?? randomUUID(), schedule: null, slot: null };
  for (let tries = 1; tries <= maxTries; tries++) {
    const dag = await deps.ledger.getDag(request.tenant, request.dagId);
    if (dag === null || dag.pruned) throw new Fault("DAG_NOT_FOUND", `this tenant has no DAG ${request.dagId}`);
    const answer = await admitOnce(deps, facts, { request, trigger, dag });
    if (answer.kind !== "stale") return toStartAnswer(deps, request, answer, dag);
  }
  throw new Fault("STORE_CONFLICT", "the DAG changed while the run was started; try again");
}

interface Attempt {
  readonly request: StartRequest;
  readonly trigger: Trigger;
  readonly dag: DagView;
}

async function admitOnce(
  deps: StarterDeps,
  facts: SiteFacts,
  { request, trigger, dag }: Attempt,
): Promise<AdmissionAnswer> {
  const spec = effectiveDag(dag.specText);
  const resolved = resolveInputs(spec, request.inputs);
  if (!resolved.ok) {
    throw new Fault(
      "INPUTS_INVALID",
      resolved.findings.map(({ pointer, message }) => `${pointer === "" ? "inputs" : pointer}: ${message}`).join("; "),
    );
  }
  const actor: Actor = { kind: "user", subject: request.subject, key: null };
  const rationale: readonly Rationale[] = [
    ...(spec.rationale === null ? [] : [{ source: "spec" as const, text: spec.rationale }]),
    ...(request.rationale === null ? [] : [{ source: "trigger" as const, text: request.rationale }]),
  ];
  const denial = denialOf(deps, facts, { request, trigger, actor, rationale });
  const { tenant, dagId } = request;
  const parts = {
    tenant,
    dagId,
    trigger,
    specHash: dag.specHash,
    inputs: resolved.inputs,
    actor,
    rationale,
    claim: null,
    denial,
  };
  const [answer] = await deps.admission.admit([admissionRequest(deps, facts, parts)]);
  return answer ?? { kind: "stale" };
}

interface Denied {
  readonly request: StartRequest;
  readonly trigger: Trigger;
  readonly actor: Actor;
  readonly rationale: readonly Rationale[];
}

function denialOf(deps: StarterDeps, facts: SiteFacts, { request, trigger, actor, rationale }: Denied): DenialBody {
  const now = utcText(deps.clock.now());
  return (code, which) =>
    denialBody({
      ...facts,
      tenant: request.tenant,
      dagId: request.dagId,
      trigger,
      actor,
      rationale,
      traceId: null,
      code,
      decision: { verdict: "deny", rule: code, message: codes[code].title },
      now,
      which,
    });
}

function toStartAnswer(
  deps: StarterDeps,
  request: StartRequest,
  answer: Exclude<AdmissionAnswer, { kind: "stale" }>,
  dag: DagView,
): StartAnswer {
  const where = { tenant: request.tenant, dagId: request.dagId };
  switch (answer.kind) {
    case "admitted":
      deps.wakeWorker();
      deps.log.info({ ...where, runId: answer.runId, status: "queued" }, "run admitted");
      return answer;
    case "existing":
      return answer;
    case "refused":
      if (answer.code === "IDEMPOTENCY_KEY_REUSED")
        throw new Fault(answer.code, "this key already started a run with other inputs");
      deps.onRefused(request.tenant, "rejected", answer.code, 1);
      deps.log.info({ ...where, code: answer.code }, "start refused");
      return { ...answer, message: answer.code === "ADMISSION_CLOSED" ? whyClosed(deps) : whyNotReady(dag) };
    case "skipped":
      return { kind: "refused", code: "OVERLAP_SKIPPED", message: null };
  }
}

/** The names alone: what stands behind them is the operator's to see. */
const whyClosed = ({ gate }: StarterDeps): string =>
  `nothing starts at this site now: ${gate.reasons.map(({ reason }) => reason).join(", ")}`;

/** The condition that says why a DAG is applied but not armed. */
function whyNotReady(dag: DagView): string | null {
  const ready = dag.conditions.find(({ type, status }) => type === "Ready" && status === "False");
  return ready === undefined ? null : `${ready.reason}: ${ready.message}`;
}
