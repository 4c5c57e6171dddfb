import type { CodeName, Json } from "../../base/index.ts";
import { codes } from "../../base/index.ts";
import type { Evaluation } from "../../dag/index.ts";
import type { WorkerRoom } from "../worker-room.ts";
import type { RunLedger } from "./run-ledger.ts";

/** Answers the walk's `evaluate`: `when` first, then the list of forEach, which the ledger keeps for its items. */
export async function evaluateStep(
  room: WorkerRoom,
  ledger: RunLedger,
  stepId: string,
  signal: AbortSignal,
): Promise<Evaluation> {
  const { spec } = ledger.step(stepId);
  const scope = ledger.scope(stepId, null);
  const failed = ({ code, message }: Failed): Evaluation => {
    const { tenant, dagId, runId } = ledger.run;
    room.deps.log.warn({ tenant, dagId, runId, stepId, code, reason: message }, "a step's expression failed");
    return { kind: "failed", class: codes[code].class, code };
  };
  if (spec.when !== null) {
    const when = await room.compute.evaluate({ kind: "condition", template: spec.when, scope }, signal);
    if (!when.ok) return failed(when);
    if (when.value !== true) return { kind: "skip" };
  }
  if (spec.forEach === null) return { kind: "run", items: null };
  const list = await room.compute.evaluate({ kind: "list", template: spec.forEach.in, scope }, signal);
  if (!list.ok) return failed(list);
  if (!isList(list.value)) return failed({ code: "ERR_EXPR", message: "forEach.in gives no list" });
  ledger.keepList(stepId, list.value);
  return { kind: "run", items: list.value.length };
}

interface Failed {
  readonly code: CodeName;
  readonly message: string;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
