import { randomUUID } from "node:crypto";
import { Fault, type JsonObject, type UtcText, utcText } from "../../base/index.ts";
import { slotScope } from "../../calendar/index.ts";
import type { Compute } from "../../compute/index.ts";
import { slotKeyOf, type Trigger } from "../../run/index.ts";
import { type DagSpec, resolveInputs, type ScheduleSpec } from "../../spec/index.ts";
import { nearestText } from "../query/nearest.ts";
import { usage } from "../terminal.ts";

export interface StartOptions {
  /** Given by a person; over those of the schedule. */
  readonly inputs: JsonObject;
  readonly now: Date | null;
  /** The slot of a schedule that is to be played. */
  readonly slot: Date | null;
  readonly schedule: string | null;
  readonly key: string | null;
}

export interface LocalStart {
  readonly inputs: JsonObject;
  readonly trigger: Trigger;
  readonly now: UtcText | null;
}

/** How the run begins: by hand, or as the slot of a schedule would. Fault USAGE, INPUTS_INVALID, ERR_EXPR. */
export async function localStart(
  dag: DagSpec,
  options: StartOptions,
  compute: Pick<Compute, "evaluate">,
  signal: AbortSignal,
): Promise<LocalStart> {
  const { slot, now } = options;
  if (slot === null) {
    if (options.schedule !== null) throw usage("--schedule goes with --slot TIME");
    const trigger: Trigger = { kind: "manual", key: options.key ?? randomUUID(), schedule: null, slot: null };
    return { inputs: checkedInputs(dag, options.inputs), trigger, now: now === null ? null : utcText(now) };
  }
  if (now !== null) throw usage("--slot is the instant of the run already: leave --now out");
  const schedule = scheduleOf(dag, options.schedule);
  const slotUtc = utcText(slot);
  const key = slotKeyOf(schedule.name, slotUtc);
  const scope: JsonObject = { slot: { ...slotScope(schedule, slot) } };
  const own = await compute.evaluate({ kind: "value", template: schedule.inputs, scope }, signal);
  if (!own.ok) throw new Fault(own.code, `inputs of schedule ${schedule.name}: ${own.message}`);
  return {
    inputs: checkedInputs(dag, { ...(own.value as JsonObject), ...options.inputs }),
    trigger: { kind: "schedule", key, schedule: schedule.name, slot: slotUtc },
    now: slotUtc,
  };
}

function scheduleOf(dag: DagSpec, wanted: string | null): ScheduleSpec {
  const names = dag.schedules.map(({ name }) => name);
  const [only, ...others] = dag.schedules;
  if (only === undefined) throw usage("--slot: this DAG has no schedule");
  if (wanted === null && others.length > 0) throw usage(`which schedule? --schedule ${names.join(" | ")}`);
  const found = wanted === null ? only : dag.schedules.find(({ name }) => name === wanted);
  if (found === undefined) throw usage(`no schedule ${wanted ?? ""}${nearestText(wanted ?? "", names)}`);
  return found;
}

function checkedInputs(dag: DagSpec, given: JsonObject): JsonObject {
  const resolved = resolveInputs(dag, given);
  if (resolved.ok) return resolved.inputs;
  const defects = resolved.findings.map(({ pointer, message }) => `${pointer === "" ? "inputs" : pointer}: ${message}`);
  throw new Fault("INPUTS_INVALID", defects.join("; "));
}
