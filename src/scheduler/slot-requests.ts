import { faultOf, type JsonObject, utcText } from "../base/index.ts";
import { dueSlots, type LateRange, type SlotMove, slotScope } from "../calendar/index.ts";
import { slotKeyOf } from "../run/index.ts";
import { type DagSpec, effectiveDag, resolveInputs, type ScheduleSpec } from "../spec/index.ts";
import type { AdmissionRequest, DueSchedule, SkipRange, SkipReason } from "../store/index.ts";
import { admissionRequest } from "./admission-request.ts";
import type { SchedulerDeps, SiteFacts } from "./scheduler-deps.ts";

/** The admission requests of one due schedule, oldest slot first: each moves the watermark from where the last left it. */
export async function slotRequests(
  deps: SchedulerDeps,
  facts: SiteFacts,
  due: DueSchedule,
  signal: AbortSignal,
): Promise<readonly AdmissionRequest[]> {
  const dag = effectiveDag(due.specText);
  const schedule = dag.schedules.find(({ name }) => name === due.schedule);
  if (schedule === undefined) {
    deps.log.error(
      { tenant: due.tenant, dagId: due.dagId, schedule: due.schedule },
      "a watermark has no schedule in its spec",
    );
    return [];
  }
  const { moves } = dueSlots(schedule, { watermark: due.watermark, now: deps.clock.now() });
  const requests: AdmissionRequest[] = [];
  for (const move of moves) requests.push(await slotRequest(deps, facts, { due, dag, schedule, move }, signal));
  return requests;
}

interface Slot {
  readonly due: DueSchedule;
  readonly dag: DagSpec;
  readonly schedule: ScheduleSpec;
  readonly move: SlotMove;
}

async function slotRequest(
  deps: SchedulerDeps,
  facts: SiteFacts,
  slot: Slot,
  signal: AbortSignal,
): Promise<AdmissionRequest> {
  const { due, dag, schedule, move } = slot;
  const slotUtc = utcText(move.to);
  const blocked = due.blocked ?? (deps.gate.isOpen ? null : "closed");
  const inputs = blocked === null && move.runs ? await slotInputs(deps, slot, signal) : {};
  // Inputs that do not resolve are found at lint where they can be; what only shows here must not stop the schedule.
  const reason: SkipReason | null = blocked ?? (inputs === null ? "not_allowed" : null);
  const skips = reason === null ? move.skips : withSkipped(move, reason, slotUtc);
  return admissionRequest(deps, facts, {
    tenant: due.tenant,
    dagId: due.dagId,
    trigger: { kind: "schedule", key: slotKeyOf(schedule.name, slotUtc), schedule: schedule.name, slot: slotUtc },
    specHash: due.specHash,
    inputs: inputs ?? {},
    actor: { kind: "schedule", subject: `${due.dagId}/${schedule.name}`, key: null },
    rationale: dag.rationale === null ? [] : [{ source: "spec", text: dag.rationale }],
    claim: { from: move.from, to: move.to, nextDue: move.nextDue, skips, runs: move.runs && reason === null },
    denial: null,
  });
}

function withSkipped(move: SlotMove, reason: SkipReason, slotUtc: string): readonly SkipRange[] {
  if (!move.runs) return move.skips;
  const late: readonly LateRange[] = move.skips;
  return [...late, { reason, from: slotUtc, to: slotUtc, count: 1 }];
}

async function slotInputs(
  deps: SchedulerDeps,
  { due, dag, schedule, move }: Slot,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  const where = { tenant: due.tenant, dagId: due.dagId, schedule: schedule.name };
  try {
    const scope: JsonObject = { slot: { ...slotScope(schedule, move.to) } };
    const answer = await deps.compute.evaluate({ kind: "value", template: schedule.inputs, scope }, signal);
    if (!answer.ok) {
      deps.log.warn({ ...where, code: answer.code, detail: answer.message }, "inputs of a slot do not evaluate");
      return null;
    }
    const resolved = resolveInputs(dag, answer.value as JsonObject);
    if (resolved.ok) return resolved.inputs;
    deps.log.warn({ ...where, findings: resolved.findings }, "inputs of a slot do not fit");
    return null;
  } catch (error) {
    if (signal.aborted || faultOf(error).disposition === "retry") throw error;
    deps.log.error({ ...where, error }, "inputs of a slot could not be made");
    return null;
  }
}
