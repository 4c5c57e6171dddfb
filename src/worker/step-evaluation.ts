import type { CodeName, Json } from "../base/index.ts";
import { codes } from "../base/index.ts";
import type { Evaluation } from "../dag/index.ts";
import type { RunLedger } from "./run-ledger.ts";
import type { WorkerRoom } from "./worker-room.ts";

/** Answers the walk's `evaluate`: `when` first, then the list of forEach, which the ledger keeps for its items. */
export async function evaluateStep(
  room: WorkerRoom,
  ledger: RunLedger,
  stepId: string,
  signal: AbortSignal,
): Promise<Evaluation> {
  const { spec } = ledger.step(stepId);
  const scope = ledger.scope(stepId, null);
  if (spec.when !== null) {
    const when = await room.deps.compute.evaluate({ template: spec.when, scope }, signal);
    if (!when.ok) return failed(when.code);
    if (typeof when.value !== "boolean") return failed("ERR_EXPR");
    if (!when.value) return { kind: "skip" };
  }
  if (spec.forEach === null) return { kind: "run", items: null };
  const list = await room.deps.compute.evaluate({ template: spec.forEach.in, scope }, signal);
  if (!list.ok) return failed(list.code);
  if (!isList(list.value)) return failed("ERR_EXPR");
  ledger.keepList(stepId, list.value);
  return { kind: "run", items: list.value.length };
}

const failed = (code: CodeName): Evaluation => ({ kind: "failed", class: codes[code].class, code });

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
